// The second part of lines.c: what can be asked of a line. In: an event, fields with arguments.
// Out: values of every type of the interface, single and in lists.

enum field { NUMBER, TEXT, EVEN, AGE, WHEN, FROM, NET, WORD, KEY, ANY, ALL_WORDS, DIGITS, FROMS,
             NEVER, PARITIES };

const char *plugin_get_fields(void) {
#define FIELD(type, name, more, desc)                                            \
    "{\"type\": \"" type "\", \"name\": \"" LINES_NAME "." name "\", " more \
    "\"desc\": \"" desc "\"}"
    return "[" FIELD("uint64", "number", "\"addOutput\": true, ", "Number of the line") ","
        FIELD("string", "text", "\"display\": \"Text\", \"addOutput\": true, ",
              "The whole line") ","
        FIELD("bool", "even", "", "Whether the number is even") ","
        FIELD("reltime", "age", "", "A millisecond for each number") ","
        FIELD("abstime", "when", "", "The event's time") ","
        FIELD("ipaddr", "from", "", "10.0.0.0/8 of even numbers, fd00::/64 of odd ones") ","
        FIELD("ipnet", "net", "", "The net of these addresses") ","
        FIELD("string", "word", "\"arg\": {\"isRequired\": true, \"isIndex\": true}, ",
              "The word at a place, from 0") ","
        FIELD("string", "key", "\"arg\": {\"isRequired\": true, \"isKey\": true}, ",
              "What stands behind KEY=") ","
        FIELD("string", "any", "\"arg\": {\"isIndex\": true, \"isKey\": true}, ",
              "The key and, behind #, the index, or (none)") ","
        FIELD("string", "words", "\"isList\": true, ", "All words") ","
        FIELD("uint64", "digits", "\"isList\": true, ", "The digits of the number") ","
        FIELD("ipaddr", "froms", "\"isList\": true, ", "The address under both families") ","
        FIELD("string", "never", "\"properties\": [\"hidden\"], ", "No value at all") ","
        FIELD("bool", "parities", "\"isList\": true, ", "Parities of the digits") "]";
#undef FIELD
}

static void *room(struct plugin *p, size_t size) {
    size = (size + 15) & ~(size_t)15;
    if (p->used + size > ARENA) abort();
    void *place = p->arena + p->used;
    p->used += size;
    return place;
}

static const char *copied(struct plugin *p, const char *text, size_t length) {
    char *copy = room(p, length + 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

struct line {
    const char *text;
    size_t length;
    uint64_t number;
};

// No line where the bytes are not one of ours.
static int read_line(const ss_plugin_event *event, struct line *line) {
    if (event->type != EVENT_PLUGIN || event->len < DATA) return 0;
    line->text = (const char *)event + DATA;
    line->length = event->len - DATA;
    const char *space = memchr(line->text, ' ', line->length);
    line->number = space ? strtoull(space + 1, NULL, 10) : 0;
    return space != NULL;
}

static size_t words_of(const struct line *line, const char *starts[], size_t lengths[]) {
    size_t count = 0;
    for (size_t at = 0; at < line->length && count < WORDS;) {
        const char *from = line->text + at;
        const char *space = memchr(from, ' ', line->length - at);
        size_t length = space ? (size_t)(space - from) : line->length - at;
        starts[count] = from;
        lengths[count++] = length;
        at += length + 1;
    }
    return count;
}

static void one_text(struct plugin *p, ss_plugin_extract_field *field, const char *text, size_t n) {
    field->res.str = room(p, sizeof(char *));
    field->res.str[0] = copied(p, text, n);
    field->res_len = 1;
}

static void one_number(struct plugin *p, ss_plugin_extract_field *field, uint64_t number) {
    field->res.u64 = room(p, sizeof number);
    field->res.u64[0] = number;
    field->res_len = 1;
}

static ss_plugin_byte_buffer address(struct plugin *p, uint64_t number, int six, int net) {
    uint8_t *bytes = room(p, 16);
    memset(bytes, 0, 16);
    bytes[0] = six ? 0xfd : 10;
    if (!net) {
        uint16_t low = htons((uint16_t)number);
        memcpy(bytes + (six ? 14 : 2), &low, 2);
    }
    return (ss_plugin_byte_buffer){six ? 16 : 4, bytes};
}

static void addresses(struct plugin *p, ss_plugin_extract_field *field, uint64_t n, int net,
                      int all) {
    field->res.buf = room(p, 2 * sizeof(ss_plugin_byte_buffer));
    field->res.buf[0] = address(p, n, all ? 0 : n % 2, net);
    if (all) field->res.buf[1] = address(p, n, 1, net);
    field->res_len = all ? 2 : 1;
}

static void digits(struct plugin *p, ss_plugin_extract_field *field, uint64_t number,
                   int parities) {
    char text[32];
    size_t count = (size_t)snprintf(text, sizeof text, "%" PRIu64, number);
    field->res.u64 = room(p, count * 8);
    for (size_t i = 0; i < count; i++) {
        uint32_t digit = (uint32_t)(text[i] - '0');
        if (parities)
            field->res.boolean[i] = digit % 2 == 0;
        else
            field->res.u64[i] = digit;
    }
    field->res_len = count;
}

static void extract(struct plugin *p, const ss_plugin_event *event, const struct line *line,
                    ss_plugin_extract_field *field) {
    const char *starts[WORDS];
    size_t lengths[WORDS], count;
    char text[32];
    switch ((enum field)field->field_id) {
    case NUMBER: return one_number(p, field, line->number);
    case TEXT: return one_text(p, field, line->text, line->length);
    case EVEN:
        one_number(p, field, 0);
        field->res.boolean[0] = line->number % 2 == 0;
        return;
    case AGE: return one_number(p, field, line->number * 1000000);
    case WHEN: return one_number(p, field, event->ts);
    case FROM: return addresses(p, field, line->number, 0, 0);
    case NET: return addresses(p, field, line->number, 1, 0);
    case FROMS: return addresses(p, field, line->number, 0, 1);
    case WORD:
        count = words_of(line, starts, lengths);
        if (field->arg_present && field->arg_index < count)
            one_text(p, field, starts[field->arg_index], lengths[field->arg_index]);
        return;
    case KEY:
        count = words_of(line, starts, lengths);
        if (!field->arg_present || !field->arg_key) return;
        size_t length = strlen(field->arg_key);
        for (size_t i = 0; i < count; i++)
            if (lengths[i] > length && starts[i][length] == '=' &&
                memcmp(starts[i], field->arg_key, length) == 0)
                return one_text(p, field, starts[i] + length + 1, lengths[i] - length - 1);
        return;
    case ANY:
        if (!field->arg_present) return one_text(p, field, "(none)", 6);
        // No index is -1, which Falco's container plugin asks for.
        if (field->arg_index == (uint64_t)-1)
            snprintf(text, sizeof text, "%s", field->arg_key);
        else
            snprintf(text, sizeof text, "%s#%" PRIu64, field->arg_key, field->arg_index);
        return one_text(p, field, text, strlen(text));
    case ALL_WORDS:
        count = words_of(line, starts, lengths);
        field->res.str = room(p, count * sizeof(char *));
        for (size_t i = 0; i < count; i++) field->res.str[i] = copied(p, starts[i], lengths[i]);
        field->res_len = count;
        return;
    case DIGITS: return digits(p, field, line->number, 0);
    case PARITIES: return digits(p, field, line->number, 1);
    case NEVER: return;
    }
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *in,
                                   const ss_plugin_field_extract_input *asked) {
    struct plugin *p = s;
    struct line line;
    p->used = 0;
    p->extractions += asked->num_fields;
    for (uint32_t i = 0; i < asked->num_fields; i++) {
        ss_plugin_extract_field *field = &asked->fields[i];
        field->res_len = 0;
        if (field->field_id > PARITIES) {
            snprintf(p->error, sizeof p->error, "no field %u", field->field_id);
            return SS_PLUGIN_FAILURE;
        }
        if (read_line(in->evt, &line)) extract(p, in->evt, &line, field);
    }
    return SS_PLUGIN_SUCCESS;
}

const char *plugin_event_to_string(ss_plugin_t *s, const ss_plugin_event_input *in) {
    struct plugin *p = s;
    struct line line;
    if (!read_line(in->evt, &line)) return NULL;
    snprintf(p->text, sizeof p->text, "[%.*s]", (int)line.length, line.text);
    return p->text;
}
