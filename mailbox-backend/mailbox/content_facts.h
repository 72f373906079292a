/* What an item says of its content beside its size, made from the content's bytes: while they come in, and
   again, for a check, from those that are stored. */
#ifndef MAILBOX_CONTENT_FACTS_H
#define MAILBOX_CONTENT_FACTS_H

#include "mailbox-backend/mime/parser.h"
#include "mailbox-backend/store/store.h"

/* Not to be moved between begin and end. */
struct facts_maker {
    struct arena arena;
    struct mime_parser parser;
    uint64_t size;
    uint8_t last[2]; /* the newest bytes, the newest in last[1] */
};

void facts_begin(struct facts_maker *maker);
void facts_feed(struct facts_maker *maker, const void *bytes, size_t length);

/* Once, after the last byte. The maker then holds no memory. */
void facts_end(struct facts_maker *maker, struct content_facts *facts);

/* Instead of facts_end(), or after it. */
void facts_drop(struct facts_maker *maker);

/* Of a stored content, read from its first byte to its last. The context is not used: this is a
   content_facts_fn, for a check. */
enum err_code content_facts_read(void *context, struct store_content *content,
                                 struct content_facts *facts, struct err *err);

#endif
