// A plugin with the id 0 and no source of its own: it gives events of the source `syscall` itself,
// as Falco has it where no driver does (engine.kind: nodriver). In: open_params "tid=N path=PATH
// count=N". Out: so many events of openat (the thread opens PATHn, as its descriptor 100 + n, for
// reading), then nothing more.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "falco_plugin.h"

enum { OPENAT_X = 307, PARAMS = 7, BYTES = 1024 };

struct plugin {
    char error[128], path[512], bytes[BYTES];
    uint64_t tid, count, made;
    ss_plugin_event *events[1];
};

const char *plugin_get_required_api_version(void) { return PLUGIN_API_VERSION; }
const char *plugin_get_name(void) { return "calls"; }
const char *plugin_get_description(void) { return "Opens, for tests"; }
const char *plugin_get_contact(void) { return "saker's tests"; }
const char *plugin_get_version(void) { return "0.1.0"; }
uint32_t plugin_get_id(void) { return 0; }
const char *plugin_get_event_source(void) { return ""; }

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc) {
    (void)in;
    *rc = SS_PLUGIN_SUCCESS;
    return calloc(1, sizeof(struct plugin));
}

void plugin_destroy(ss_plugin_t *s) { free(s); }

const char *plugin_get_last_error(ss_plugin_t *s) {
    return s ? ((struct plugin *)s)->error : "no state";
}

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc) {
    struct plugin *p = s;
    int found = sscanf(params, "tid=%" SCNu64 " path=%511s count=%" SCNu64, &p->tid, p->path,
                       &p->count);
    *rc = found == 3 ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
    if (found != 3) snprintf(p->error, sizeof p->error, "expected tid=N path=PATH count=N");
    return p;
}

void plugin_close(ss_plugin_t *s, ss_instance_t *h) { (void)s, (void)h; }

static char *put(char *at, uint64_t value, int bytes) {
    memcpy(at, &value, bytes);
    return at + bytes;
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *count,
                               ss_plugin_event ***events) {
    struct plugin *p = s;
    (void)h;
    *count = 0;
    if (p->made == p->count) {
        struct timespec pause = {0, 10000000};
        nanosleep(&pause, NULL);
        return SS_PLUGIN_TIMEOUT;
    }
    char path[600];
    uint16_t name = snprintf(path, sizeof path, "%s%" PRIu64, p->path, p->made) + 1;
    uint16_t lengths[PARAMS] = {8, 8, name, 4, 4, 4, 8};
    char *at = p->bytes;
    at = put(at, UINT64_MAX, 8);
    at = put(at, p->tid, 8);
    char *size = at;
    at = put(put(put(at, 0, 4), OPENAT_X, 2), PARAMS, 4);
    memcpy(at, lengths, sizeof lengths);
    at += sizeof lengths;
    at = put(put(at, 100 + p->made, 8), -100, 8);
    memcpy(at, path, name);
    at += name;
    // Flags: O_RDONLY in Falco's numbers.
    at = put(put(put(put(at, 1, 4), 0, 4), 0, 4), 0, 8);
    put(size, at - p->bytes, 4);
    p->events[0] = (ss_plugin_event *)p->bytes;
    *events = p->events;
    *count = 1;
    p->made++;
    return SS_PLUGIN_SUCCESS;
}
