// What a plugin sees of Falco's plugin interface, version 3 (3.12.0): types, tables of functions,
// and the functions a plugin exports. In: nothing. Out: declarations, in our own words; names and
// layouts are those of the interface.
#ifndef FALCO_PLUGIN_H
#define FALCO_PLUGIN_H

#include <stdint.h>

#define PLUGIN_API_VERSION "3.12.0"
#define PLUGIN_MAX_ERRLEN 1024

enum { SS_PLUGIN_SUCCESS = 0, SS_PLUGIN_FAILURE = 1, SS_PLUGIN_TIMEOUT = -1 };
enum { SS_PLUGIN_EOF = 2, SS_PLUGIN_NOT_SUPPORTED = 3 };
enum { SS_PLUGIN_SCHEMA_NONE = 0, SS_PLUGIN_SCHEMA_JSON = 1 };
enum { FTYPE_UINT64 = 8, FTYPE_STRING = 9, FTYPE_RELTIME = 20, FTYPE_ABSTIME = 21 };
enum { FTYPE_BOOL = 25, FTYPE_IPADDR = 40, FTYPE_IPNET = 41 };
enum { SS_PLUGIN_ST_INT8 = 1, SS_PLUGIN_ST_INT16, SS_PLUGIN_ST_INT32, SS_PLUGIN_ST_INT64 };
enum { SS_PLUGIN_ST_UINT8 = 5, SS_PLUGIN_ST_UINT16, SS_PLUGIN_ST_UINT32, SS_PLUGIN_ST_UINT64 };
enum { SS_PLUGIN_ST_STRING = 9, SS_PLUGIN_ST_TABLE = 10, SS_PLUGIN_ST_BOOL = 25 };
enum { SS_PLUGIN_LOG_SEV_ERROR = 3, SS_PLUGIN_LOG_SEV_WARNING = 4, SS_PLUGIN_LOG_SEV_INFO = 6 };
enum { SS_PLUGIN_METRIC_VALUE_TYPE_U32, SS_PLUGIN_METRIC_VALUE_TYPE_S32 };
enum { SS_PLUGIN_METRIC_VALUE_TYPE_U64 = 2, SS_PLUGIN_METRIC_VALUE_TYPE_S64 = 3 };
enum { SS_PLUGIN_METRIC_VALUE_TYPE_D = 4, SS_PLUGIN_METRIC_VALUE_TYPE_F };
enum { SS_PLUGIN_METRIC_VALUE_TYPE_I = 6 };
enum { SS_PLUGIN_METRIC_TYPE_MONOTONIC = 0, SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC = 1 };

// Event types: of a source's events, and of asynchronous ones.
enum { EVENT_PLUGIN = 322, EVENT_ASYNC = 402 };

typedef int32_t ss_plugin_rc;
typedef uint32_t ss_plugin_bool;
typedef int32_t ss_plugin_state_type;
typedef void ss_plugin_t;
typedef void ss_instance_t;
typedef void ss_plugin_owner_t;
typedef void ss_plugin_table_t;
typedef void ss_plugin_table_entry_t;
typedef void ss_plugin_table_field_t;

// Then the lengths of the parameters (4 bytes each for the two types above), then the parameters.
typedef struct __attribute__((packed)) {
    uint64_t ts;
    uint64_t tid;
    uint32_t len;
    uint16_t type;
    uint32_t nparams;
} ss_plugin_event;

typedef struct {
    const ss_plugin_event *evt;
    uint64_t evtnum;
    const char *evtsrc;
} ss_plugin_event_input;

typedef struct {
    uint32_t len;
    const void *ptr;
} ss_plugin_byte_buffer;

typedef struct {
    uint32_t *start;
    uint32_t *length;
} ss_plugin_extract_value_offsets;

typedef struct {
    union {
        const char **str;
        uint64_t *u64;
        uint32_t *u32;
        ss_plugin_bool *boolean;
        ss_plugin_byte_buffer *buf;
    } res;
    uint64_t res_len;
    uint32_t field_id;
    const char *field;
    const char *arg_key;
    uint64_t arg_index;
    ss_plugin_bool arg_present;
    uint32_t ftype;
    ss_plugin_bool flist;
} ss_plugin_extract_field;

typedef union {
    int8_t s8;
    int16_t s16;
    int32_t s32;
    int64_t s64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    const char *str;
    ss_plugin_bool b;
    ss_plugin_table_t *table;
} ss_plugin_state_data;

typedef struct {
    const char *name;
    ss_plugin_state_type key_type;
} ss_plugin_table_info;

typedef struct {
    const char *name;
    ss_plugin_state_type field_type;
    ss_plugin_bool read_only;
} ss_plugin_table_fieldinfo;

typedef union {
    uint32_t u32;
    int32_t s32;
    uint64_t u64;
    int64_t s64;
    double d;
    float f;
    int i;
} ss_plugin_metric_value;

typedef struct {
    const char *name;
    int32_t type;
    ss_plugin_metric_value value;
    int32_t value_type;
} ss_plugin_metric;

typedef struct {
    ss_plugin_table_fieldinfo *(*list_table_fields)(ss_plugin_table_t *, uint32_t *count);
    ss_plugin_table_field_t *(*get_table_field)(ss_plugin_table_t *, const char *name,
                                                ss_plugin_state_type);
    ss_plugin_table_field_t *(*add_table_field)(ss_plugin_table_t *, const char *name,
                                                ss_plugin_state_type);
} ss_plugin_table_fields_vtable;
typedef ss_plugin_table_fields_vtable ss_plugin_table_fields_vtable_ext;

typedef struct {
    const char *(*get_table_name)(ss_plugin_table_t *);
    uint64_t (*get_table_size)(ss_plugin_table_t *);
    ss_plugin_table_entry_t *(*get_table_entry)(ss_plugin_table_t *,
                                                const ss_plugin_state_data *key);
    ss_plugin_rc (*read_entry_field)(ss_plugin_table_t *, ss_plugin_table_entry_t *,
                                     const ss_plugin_table_field_t *, ss_plugin_state_data *out);
} ss_plugin_table_reader_vtable;

typedef ss_plugin_bool (*ss_plugin_table_iterator_func_t)(void *state, ss_plugin_table_entry_t *);

typedef struct {
    const char *(*get_table_name)(ss_plugin_table_t *);
    uint64_t (*get_table_size)(ss_plugin_table_t *);
    ss_plugin_table_entry_t *(*get_table_entry)(ss_plugin_table_t *,
                                                const ss_plugin_state_data *key);
    ss_plugin_rc (*read_entry_field)(ss_plugin_table_t *, ss_plugin_table_entry_t *,
                                     const ss_plugin_table_field_t *, ss_plugin_state_data *out);
    void (*release_table_entry)(ss_plugin_table_t *, ss_plugin_table_entry_t *);
    ss_plugin_bool (*iterate_entries)(ss_plugin_table_t *, ss_plugin_table_iterator_func_t,
                                      void *state);
} ss_plugin_table_reader_vtable_ext;

typedef struct {
    ss_plugin_rc (*clear_table)(ss_plugin_table_t *);
    ss_plugin_rc (*erase_table_entry)(ss_plugin_table_t *, const ss_plugin_state_data *key);
    ss_plugin_table_entry_t *(*create_table_entry)(ss_plugin_table_t *);
    void (*destroy_table_entry)(ss_plugin_table_t *, ss_plugin_table_entry_t *);
    ss_plugin_table_entry_t *(*add_table_entry)(ss_plugin_table_t *,
                                                const ss_plugin_state_data *key,
                                                ss_plugin_table_entry_t *);
    ss_plugin_rc (*write_entry_field)(ss_plugin_table_t *, ss_plugin_table_entry_t *,
                                      const ss_plugin_table_field_t *,
                                      const ss_plugin_state_data *in);
} ss_plugin_table_writer_vtable;
typedef ss_plugin_table_writer_vtable ss_plugin_table_writer_vtable_ext;

typedef struct {
    const char *name;
    ss_plugin_state_type key_type;
    ss_plugin_table_t *table;
    ss_plugin_table_reader_vtable reader;
    ss_plugin_table_writer_vtable writer;
    ss_plugin_table_fields_vtable fields;
    ss_plugin_table_reader_vtable_ext *reader_ext;
    ss_plugin_table_writer_vtable_ext *writer_ext;
    ss_plugin_table_fields_vtable_ext *fields_ext;
} ss_plugin_table_input;

typedef struct {
    ss_plugin_table_info *(*list_tables)(ss_plugin_owner_t *, uint32_t *count);
    ss_plugin_table_t *(*get_table)(ss_plugin_owner_t *, const char *name,
                                    ss_plugin_state_type key);
    ss_plugin_rc (*add_table)(ss_plugin_owner_t *, const ss_plugin_table_input *);
    ss_plugin_table_fields_vtable fields;
    ss_plugin_table_fields_vtable_ext *fields_ext;
    ss_plugin_table_reader_vtable_ext *reader_ext;
    ss_plugin_table_writer_vtable_ext *writer_ext;
} ss_plugin_init_tables_input;

typedef struct {
    const char *config;
    ss_plugin_owner_t *owner;
    const char *(*get_owner_last_error)(ss_plugin_owner_t *);
    const ss_plugin_init_tables_input *tables;
    void (*log_fn)(ss_plugin_owner_t *, const char *component, const char *message,
                   int32_t severity);
} ss_plugin_init_input;

typedef struct {
    ss_plugin_owner_t *owner;
    const char *(*get_owner_last_error)(ss_plugin_owner_t *);
    uint32_t num_fields;
    ss_plugin_extract_field *fields;
    ss_plugin_table_reader_vtable table_reader;
    ss_plugin_table_reader_vtable_ext *table_reader_ext;
    ss_plugin_extract_value_offsets *value_offsets;
} ss_plugin_field_extract_input;

typedef struct {
    ss_plugin_owner_t *owner;
    const char *(*get_owner_last_error)(ss_plugin_owner_t *);
    ss_plugin_table_reader_vtable table_reader;
    ss_plugin_table_writer_vtable table_writer;
    ss_plugin_table_reader_vtable_ext *table_reader_ext;
    ss_plugin_table_writer_vtable_ext *table_writer_ext;
} ss_plugin_event_parse_input;

typedef struct {
    const char *config;
} ss_plugin_set_config_input;

typedef ss_plugin_bool (*ss_plugin_routine_fn_t)(ss_plugin_t *, void *state);

typedef struct {
    void *(*subscribe)(ss_plugin_owner_t *, ss_plugin_routine_fn_t, void *state);
    ss_plugin_rc (*unsubscribe)(ss_plugin_owner_t *, void *routine);
} ss_plugin_routine_vtable;

typedef struct {
    ss_plugin_owner_t *owner;
    ss_plugin_routine_vtable *routine;
    ss_plugin_table_reader_vtable_ext *table_reader_ext;
    ss_plugin_table_writer_vtable_ext *table_writer_ext;
    const char *(*get_owner_last_error)(ss_plugin_owner_t *);
} ss_plugin_capture_listen_input;

typedef ss_plugin_rc (*ss_plugin_async_event_handler_t)(ss_plugin_owner_t *,
                                                        const ss_plugin_event *, char *error);

// What a plugin exports; which of them are there says what it can do.
const char *plugin_get_required_api_version(void);
const char *plugin_get_init_schema(int32_t *type);
ss_plugin_t *plugin_init(const ss_plugin_init_input *, ss_plugin_rc *);
void plugin_destroy(ss_plugin_t *);
const char *plugin_get_last_error(ss_plugin_t *);
const char *plugin_get_name(void);
const char *plugin_get_description(void);
const char *plugin_get_contact(void);
const char *plugin_get_version(void);
const char *plugin_get_required_event_schema_version(ss_plugin_t *);
ss_plugin_rc plugin_set_config(ss_plugin_t *, const ss_plugin_set_config_input *);
ss_plugin_metric *plugin_get_metrics(ss_plugin_t *, uint32_t *count);

uint32_t plugin_get_id(void);
const char *plugin_get_event_source(void);
ss_instance_t *plugin_open(ss_plugin_t *, const char *params, ss_plugin_rc *);
void plugin_close(ss_plugin_t *, ss_instance_t *);
ss_plugin_rc plugin_next_batch(ss_plugin_t *, ss_instance_t *, uint32_t *count,
                               ss_plugin_event ***);
const char *plugin_list_open_params(ss_plugin_t *, ss_plugin_rc *);
const char *plugin_get_progress(ss_plugin_t *, ss_instance_t *, uint32_t *of_ten_thousand);
const char *plugin_event_to_string(ss_plugin_t *, const ss_plugin_event_input *);

const char *plugin_get_fields(void);
ss_plugin_rc plugin_extract_fields(ss_plugin_t *, const ss_plugin_event_input *,
                                   const ss_plugin_field_extract_input *);
uint16_t *plugin_get_extract_event_types(uint32_t *count, ss_plugin_t *);
const char *plugin_get_extract_event_sources(void);

ss_plugin_rc plugin_parse_event(ss_plugin_t *, const ss_plugin_event_input *,
                                const ss_plugin_event_parse_input *);
uint16_t *plugin_get_parse_event_types(uint32_t *count, ss_plugin_t *);
const char *plugin_get_parse_event_sources(void);

const char *plugin_get_async_events(void);
const char *plugin_get_async_event_sources(void);
ss_plugin_rc plugin_set_async_event_handler(ss_plugin_t *, ss_plugin_owner_t *,
                                            const ss_plugin_async_event_handler_t);
ss_plugin_rc plugin_dump_state(ss_plugin_t *, ss_plugin_owner_t *,
                               const ss_plugin_async_event_handler_t);

ss_plugin_rc plugin_capture_open(ss_plugin_t *, const ss_plugin_capture_listen_input *);
ss_plugin_rc plugin_capture_close(ss_plugin_t *, const ss_plugin_capture_listen_input *);

#endif
