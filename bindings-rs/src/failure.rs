//! Errors that cross into JavaScript: each carries one of the codes of index.d.ts.
use std::io;

use aya::maps::MapError;
use aya::programs::ProgramError;
use aya::{BtfError, EbpfError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    NoPermission,
    NoBtf,
    NoMemory,
    Verifier,
    Attach,
    Probe,
    Module,
    Invalid,
    Io,
}

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        match self {
            Self::NoPermission => "NO_PERMISSION",
            Self::NoBtf => "NO_BTF",
            Self::NoMemory => "NO_MEMORY",
            Self::Verifier => "VERIFIER",
            Self::Attach => "ATTACH",
            Self::Probe => "PROBE",
            Self::Module => "MODULE",
            Self::Invalid => "INVALID",
            Self::Io => "IO",
        }
    }
}

/// What failed, in words for the person who runs it.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn of_io(error: &io::Error, otherwise: Code, what: &str) -> Self {
        let code = match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => Code::NoPermission,
            Some(libc::ENOMEM | libc::E2BIG) => Code::NoMemory,
            _ => otherwise,
        };
        let hint = if code == Code::NoPermission {
            "; run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE"
        } else {
            ""
        };
        Self::new(code, format!("Cannot {what}: {error}{hint}"))
    }

    pub fn of_map(error: &MapError, what: &str) -> Self {
        match error {
            MapError::CreateError { io_error, .. } => Self::of_io(io_error, Code::NoMemory, what),
            MapError::SyscallError(call) => Self::of_io(&call.io_error, Code::Io, what),
            other => Self::new(Code::Probe, format!("Cannot {what}: {other}")),
        }
    }

    pub fn of_program(error: &ProgramError, name: &str) -> Self {
        match error {
            ProgramError::LoadError { io_error, verifier_log } => {
                if io_error.raw_os_error() == Some(libc::EPERM) {
                    return Self::of_io(io_error, Code::Verifier, &format!("load program {name}"));
                }
                // The verifier tells its reason in its last lines.
                let log = verifier_log.to_string();
                let lines: Vec<&str> = log.lines().filter(|line| !line.is_empty()).collect();
                let last = lines[lines.len().saturating_sub(6)..].join(" | ");
                Self::new(
                    Code::Verifier,
                    format!("Cannot load program {name}: {io_error}; verifier: {last}"),
                )
            }
            ProgramError::SyscallError(call) => {
                Self::of_io(&call.io_error, Code::Attach, &format!("attach program {name}"))
            }
            ProgramError::Btf(error) => {
                Self::new(Code::NoBtf, format!("Cannot load program {name}: {error}"))
            }
            other => Self::new(Code::Attach, format!("Cannot attach program {name}: {other}")),
        }
    }

    pub fn of_object(error: &EbpfError) -> Self {
        match error {
            EbpfError::MapError(error) => Self::of_map(error, "make the maps of the probe"),
            EbpfError::BtfError(BtfError::LoadError { io_error, .. }) => {
                Self::of_io(io_error, Code::Probe, "load the types of the probe")
            }
            other => Self::new(Code::Probe, format!("Cannot read the probe: {other}")),
        }
    }
}

impl From<Failure> for napi::Error<Code> {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

/// Why a socket cannot listen.
pub fn listen_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there".into(),
        io::ErrorKind::AddrNotAvailable => "this host does not have the address".into(),
        io::ErrorKind::PermissionDenied => "no permission".into(),
        _ => error.to_string(),
    }
}
