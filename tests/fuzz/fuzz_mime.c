/* libFuzzer's entry for the MIME code: the first two bytes choose, the rest is a message, and also a
   section, a date, a list of addresses and an encoded text. */
#include "mailbox-backend/mime/address.h"
#include "mailbox-backend/mime/charset.h"
#include "mailbox-backend/mime/date.h"
#include "mailbox-backend/mime/downgrade.h"
#include "mailbox-backend/mime/encoded_word.h"
#include "mailbox-backend/mime/transfer.h"
#include "tests/unit/mime/check_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_section(struct str text)
{
    struct arena arena = {0};
    struct mime_section section;
    struct mime_section again;
    struct buf out = {0};
    size_t used;

    if (mime_section_parse(&arena, text, &used, &section, NULL) == ERR_NONE) {
        mime_section_write(&section, &out);
        buf_byte(&out, ']');
        CHECK(mime_section_parse(&arena, str_n(buf_bytes(&out), buf_length(&out)), &used, &again,
                                 NULL) == ERR_NONE);
        CHECK(again.kind == section.kind && again.field_count == section.field_count);
        CHECK(used == buf_length(&out));
    }
    buf_release(&out);
    arena_reset(&arena);
}

static void try_dates(struct str text)
{
    struct mime_date date;
    int32_t day;

    mime_date_parse(text, &date);
    imap_date_parse(text, &day);
    if (imap_date_time_parse(text, &date)) {
        char printed[IMAP_DATE_TIME_SIZE];
        struct mime_date again;

        imap_date_time_print(printed, date.utc, date.zone_minutes);
        CHECK(imap_date_time_parse(str_of(printed), &again));
        CHECK(again.zone_minutes == date.zone_minutes);
    }
}

static void try_texts(struct str text, unsigned choice)
{
    static const char *const encodings[] = {"base64", "quoted-printable"};
    const char *charset = charset_name(choice / 2 % 52);
    struct transfer_stream stream;
    struct buf decoded = {0};
    struct buf out = {0};

    mime_words_decode(text, &out);
    transfer_init(&stream, transfer_encoding_of(str_of(encodings[choice % 2])));
    transfer_feed(&stream, text.data, text.length, &decoded);
    transfer_finish(&stream, &decoded);
    if (buf_length(&decoded) > 0)
        charset_convert(str_of(charset), str_n(buf_bytes(&decoded), buf_length(&decoded)), &out,
                        NULL);
    buf_release(&decoded);
    buf_release(&out);
}

/* A summary comes from the disk, where it may be damaged. */
static void try_summary(struct str text)
{
    struct mime_summary summary;
    struct buf out = {0};

    summary.bodystructure = text;
    mime_summary_body(&summary, &out, NULL);
    if (mime_summary_open(text.data, text.length, &summary, NULL) == ERR_NONE)
        mime_summary_body(&summary, &out, NULL);
    buf_release(&out);
}

static void try_addresses(struct str text)
{
    struct mime_address_reader reader;
    struct mime_address address;
    struct arena arena = {0};
    size_t count = 0;

    mime_address_init(&reader, &arena, text);
    while (mime_address_next(&reader, &address))
        count++;
    CHECK(count <= 2 * text.length + 1);
    arena_reset(&arena);
}

static void try_downgrade(struct str text)
{
    static const char *const names[] = {"From:", "Subject:", "Content-Type:", ""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct arena arena = {0};
        struct buf field = {0};
        struct buf out = {0};

        buf_text(&field, names[i]);
        buf_append(&field, text.data, text.length);
        mime_downgrade_field(&arena, str_n(buf_bytes(&field), buf_length(&field)), &out);
        for (size_t at = 0; at < buf_length(&out); at++)
            CHECK(buf_bytes(&out)[at] < 0x80);
        buf_release(&field);
        buf_release(&out);
        arena_reset(&arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned choice;
    struct str text;

    if (size < 2)
        return 0;
    choice = (unsigned)data[0] << 8 | data[1];
    text = str_n(data + 2, size - 2);
    check_message(text.data, text.length, choice);
    try_section(text);
    try_dates(text);
    try_texts(text, choice);
    try_addresses(text);
    try_downgrade(text);
    try_summary(text);
    return 0;
}
