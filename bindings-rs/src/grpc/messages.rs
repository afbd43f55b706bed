//! The messages of Falco's published protocol (falco.outputs, falco.version), as far as a server
//! sends them: numbers and types of the fields. Requests have no fields; what one holds is passed
//! over.
use std::collections::BTreeMap;

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// falco.outputs.response
#[derive(Clone, PartialEq, Message)]
pub struct OutputsResponse {
    #[prost(message, optional, tag = "1")]
    pub time: Option<Timestamp>,
    /// falco.schema.priority: Falco's numbers, from 0 for Emergency to 7 for Debug.
    #[prost(int32, tag = "2")]
    pub priority: i32,
    /// falco.schema.source: what older clients read; the text in `source` says more.
    #[prost(int32, tag = "3")]
    pub source_deprecated: i32,
    #[prost(string, tag = "4")]
    pub rule: String,
    #[prost(string, tag = "5")]
    pub output: String,
    #[prost(btree_map = "string, string", tag = "6")]
    pub output_fields: BTreeMap<String, String>,
    #[prost(string, tag = "7")]
    pub hostname: String,
    #[prost(string, repeated, tag = "8")]
    pub tags: Vec<String>,
    #[prost(string, tag = "9")]
    pub source: String,
}

/// falco.version.response
#[derive(Clone, PartialEq, Message)]
pub struct VersionResponse {
    #[prost(string, tag = "1")]
    pub version: String,
    #[prost(uint32, tag = "2")]
    pub major: u32,
    #[prost(uint32, tag = "3")]
    pub minor: u32,
    #[prost(uint32, tag = "4")]
    pub patch: u32,
    #[prost(string, tag = "5")]
    pub prerelease: String,
    #[prost(string, tag = "6")]
    pub build: String,
    #[prost(uint32, tag = "7")]
    pub engine_version: u32,
    #[prost(string, tag = "8")]
    pub engine_fields_checksum: String,
}

/// Sources that are none of these come from plugins.
pub fn source_number(source: &str) -> i32 {
    match source {
        "syscall" => 0,
        "k8s_audit" => 1,
        "internal" => 2,
        _ => 3,
    }
}
