// A plugin that parses system calls and wants none of them, as Falco's container plugin answers to
// executions that failed: with a failure and no reason. It has one only for numbers that end in 0.
// PICKY_ADDS is a column that it adds to the table of threads, PICKY_NEEDS one without which it
// does not begin.
#include <stdlib.h>

#include "falco_plugin.h"

#ifndef PICKY_NAME
#define PICKY_NAME "picky"
#endif

struct plugin {
    const char *error;
};

const char *plugin_get_required_api_version(void) { return PLUGIN_API_VERSION; }
const char *plugin_get_name(void) { return PICKY_NAME; }
const char *plugin_get_description(void) { return "Wants no event, for tests"; }
const char *plugin_get_contact(void) { return "saker's tests"; }
const char *plugin_get_version(void) { return "0.1.0"; }

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc) {
    struct plugin *p = calloc(1, sizeof *p);
    p->error = "";
    *rc = SS_PLUGIN_SUCCESS;
    const ss_plugin_init_tables_input *tables = in->tables;
    ss_plugin_table_t *threads = tables->get_table(in->owner, "threads", SS_PLUGIN_ST_INT64);
    (void)threads;
#ifdef PICKY_ADDS
    if (!tables->fields_ext->add_table_field(threads, PICKY_ADDS, SS_PLUGIN_ST_STRING))
        *rc = SS_PLUGIN_FAILURE;
#endif
#ifdef PICKY_NEEDS
    if (!tables->fields_ext->get_table_field(threads, PICKY_NEEDS, SS_PLUGIN_ST_STRING))
        *rc = SS_PLUGIN_FAILURE;
#endif
    if (*rc != SS_PLUGIN_SUCCESS) p->error = "it lacks a column";
    return p;
}

void plugin_destroy(ss_plugin_t *s) { free(s); }

const char *plugin_get_last_error(ss_plugin_t *s) {
    return s ? ((struct plugin *)s)->error : "";
}

const char *plugin_get_parse_event_sources(void) { return "[\"syscall\"]"; }

ss_plugin_rc plugin_parse_event(ss_plugin_t *s, const ss_plugin_event_input *event,
                                const ss_plugin_event_parse_input *in) {
    struct plugin *p = s;
    (void)in;
    p->error = event->evtnum % 10 == 0 ? "it ends in 0" : "";
    return SS_PLUGIN_FAILURE;
}
