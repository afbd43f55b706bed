// A plugin that reads audit events of Kubernetes from a file of JSON lines and knows a few of their
// fields: what scripts/bench plugins measures. In: open_params "PATH [TIMES]", the file so often.
// Out: each line an event, its time as it is read, and the fields below under the names that
// Falco's k8saudit plugin has for them, so that the same rules are held against both.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "falco_plugin.h"

enum { HEADER = 26, DATA = HEADER + 8 + 4, BATCH = 128, DEPTH = 2, TEXTS = 1 << 16 };

struct plugin {
    char error[256];
    char *texts[64];
    size_t used;
    char arena[TEXTS];
};

struct instance {
    char *lines;
    size_t size, at;
    uint64_t left;
    ss_plugin_event *events[BATCH];
    char *bytes;
    size_t room;
};

// Where each field stands: keys from the outermost to the innermost.
static const struct { const char *name, *keys[DEPTH]; } FIELDS[] = {
    {"ka.auditid", {"auditID"}},
    {"ka.stage", {"stage"}},
    {"ka.verb", {"verb"}},
    {"ka.uri", {"requestURI"}},
    {"ka.user.name", {"user", "username"}},
    {"ka.target.resource", {"objectRef", "resource"}},
    {"ka.target.subresource", {"objectRef", "subresource"}},
    {"ka.target.namespace", {"objectRef", "namespace"}},
    {"ka.target.name", {"objectRef", "name"}},
    {"ka.response.code", {"responseStatus", "code"}},
    {"ka.useragent", {"userAgent"}},
};
enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

const char *plugin_get_required_api_version(void) { return PLUGIN_API_VERSION; }
const char *plugin_get_name(void) { return "k8saudit"; }
const char *plugin_get_description(void) { return "Audit events from a file, for measuring"; }
const char *plugin_get_contact(void) { return "saker's tests"; }
const char *plugin_get_version(void) { return "0.18.0"; }
uint32_t plugin_get_id(void) { return 1; }
const char *plugin_get_event_source(void) { return "k8s_audit"; }

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc) {
    (void)in;
    struct plugin *p = calloc(1, sizeof *p);
    *rc = p ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
    return p;
}

void plugin_destroy(ss_plugin_t *s) { free(s); }

const char *plugin_get_last_error(ss_plugin_t *s) { return ((struct plugin *)s)->error; }

const char *plugin_get_fields(void) {
    static char json[4096];
    size_t used = 0;
    json[used++] = '[';
    for (int at = 0; at < FIELD_COUNT; at++)
        used += snprintf(json + used, sizeof json - used,
                         "%s{\"type\": \"string\", \"name\": \"%s\", \"desc\": \"%s\"}",
                         at ? ", " : "", FIELDS[at].name, FIELDS[at].name);
    snprintf(json + used, sizeof json - used, "]");
    return json;
}

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc) {
    struct plugin *p = s;
    char path[4096] = "";
    uint64_t times = 1;
    *rc = SS_PLUGIN_FAILURE;
    if (sscanf(params, "%4095s %" SCNu64, path, &times) < 1) {
        snprintf(p->error, sizeof p->error, "expected the path of a file");
        return NULL;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        snprintf(p->error, sizeof p->error, "cannot open the file");
        return NULL;
    }
    struct instance *i = calloc(1, sizeof *i);
    fseek(file, 0, SEEK_END);
    i->size = ftell(file);
    rewind(file);
    i->lines = malloc(i->size + 1);
    i->size = fread(i->lines, 1, i->size, file);
    fclose(file);
    i->left = times;
    *rc = SS_PLUGIN_SUCCESS;
    return i;
}

void plugin_close(ss_plugin_t *s, ss_instance_t *h) {
    (void)s;
    struct instance *i = h;
    free(i->lines);
    free(i->bytes);
    free(i);
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *count,
                               ss_plugin_event ***events) {
    (void)s;
    struct instance *i = h;
    size_t used = 0, starts[BATCH];
    *count = 0;
    while (*count < BATCH) {
        if (i->at >= i->size) {
            if (i->left <= 1) break;
            i->left--;
            i->at = 0;
        }
        char *line = i->lines + i->at, *end = memchr(line, '\n', i->size - i->at);
        size_t length = end ? (size_t)(end - line) : i->size - i->at;
        i->at += length + 1;
        if (length == 0) continue;
        if (used + DATA + length > i->room) {
            i->room = 2 * (used + DATA + length);
            i->bytes = realloc(i->bytes, i->room);
        }
        char *event = i->bytes + used;
        uint64_t time = UINT64_MAX, tid = UINT64_MAX;
        uint32_t whole = DATA + length, params = 2, id_size = 4, id = 0, size = length;
        uint16_t type = 322;
        memcpy(event, &time, 8);
        memcpy(event + 8, &tid, 8);
        memcpy(event + 16, &whole, 4);
        memcpy(event + 20, &type, 2);
        memcpy(event + 22, &params, 4);
        memcpy(event + HEADER, &id_size, 4);
        memcpy(event + HEADER + 4, &size, 4);
        memcpy(event + HEADER + 8, &id, 4);
        memcpy(event + DATA, line, length);
        starts[(*count)++] = used;
        used += whole;
    }
    if (*count == 0) return SS_PLUGIN_EOF;
    for (uint32_t at = 0; at < *count; at++)
        i->events[at] = (ss_plugin_event *)(i->bytes + starts[at]);
    *events = i->events;
    return SS_PLUGIN_SUCCESS;
}

// Behind the value that begins at `at`.
static const char *skip(const char *at, const char *end) {
    int depth = 0;
    for (; at < end; at++) {
        if (*at == '"') {
            for (at++; at < end && *at != '"'; at++)
                if (*at == '\\') at++;
            if (depth == 0) return at + 1;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0) return at;
            if (--depth == 0) return at + 1;
        } else if (depth == 0 && *at == ',') {
            return at;
        }
    }
    return at;
}

// The value of that key of the object that begins at `at`; NULL where there is none.
static const char *find(const char *at, const char *end, const char *key) {
    size_t length = strlen(key);
    if (at >= end || *at != '{') return NULL;
    for (at++; at < end && *at != '}';) {
        while (at < end && (*at == ',' || *at == ' ')) at++;
        if (at >= end || *at != '"') return NULL;
        const char *name = at + 1, *behind = skip(at, end);
        int found = (size_t)(behind - name) == length + 1 && memcmp(name, key, length) == 0;
        for (at = behind; at < end && (*at == ':' || *at == ' ');) at++;
        if (found) return at;
        at = skip(at, end);
    }
    return NULL;
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *input,
                                   const ss_plugin_field_extract_input *in) {
    struct plugin *p = s;
    const char *event = (const char *)input->evt;
    uint32_t size;
    memcpy(&size, event + HEADER + 4, 4);
    const char *from = event + DATA, *end = from + size;
    p->used = 0;
    for (uint32_t at = 0; at < in->num_fields && at < 64; at++) {
        ss_plugin_extract_field *field = &in->fields[at];
        const char *value = from;
        field->res_len = 0;
        for (int key = 0; value && key < DEPTH && FIELDS[field->field_id].keys[key]; key++)
            value = find(value, end, FIELDS[field->field_id].keys[key]);
        if (!value || *value == '{' || *value == '[') continue;
        const char *behind = skip(value, end);
        if (*value == '"') value++, behind--;
        size_t length = behind - value;
        if (p->used + length + 1 > TEXTS) continue;
        p->texts[at] = p->arena + p->used;
        memcpy(p->texts[at], value, length);
        p->texts[at][length] = 0;
        p->used += length + 1;
        field->res.str = (const char **)&p->texts[at];
        field->res_len = 1;
    }
    return SS_PLUGIN_SUCCESS;
}
