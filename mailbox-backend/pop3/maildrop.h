/* What a POP3 session sees of its folder: the messages that were there at login, numbered from 1 in the
   order in which they came into the folder or the other way round, and the marks of DELE. Memory follows the gaps between uids, not the messages. */
#ifndef POP3_MAILDROP_H
#define POP3_MAILDROP_H

#include <stdbool.h>

#include "mailbox-backend/store/store.h"

struct maildrop_range {
    uint32_t first, last; /* uids */
    uint32_t number;      /* of first, counted from the oldest */
};

/* Embed it; {0} is an empty maildrop. */
struct maildrop {
    struct maildrop_range *ranges; /* sorted */
    size_t count, room;
    bool newest_first; /* the newest message is number 1; to be set at any time */
    uint32_t messages;
    uint64_t octets;
    struct uidset deleted; /* marked by DELE */
    uint32_t deleted_messages;
    uint64_t deleted_octets;
};

/* Takes the folder as it is in the snapshot: a scan of all its items, so for workers. */
enum err_code maildrop_load(struct maildrop *maildrop, struct store_read *read, uint32_t folder,
                            struct err *err);
void maildrop_release(struct maildrop *maildrop);

/* One message more, with a uid above all others. */
void maildrop_add(struct maildrop *maildrop, uint32_t uid, uint64_t octets);

/* What RETR sends of an item before dot-stuffing: its bytes, and the final CRLF if it lacks one. */
uint64_t maildrop_octets(const struct store_item *item);

/* The uid of a message number, the number of a uid; 0 when there is none. */
uint32_t maildrop_uid(const struct maildrop *maildrop, uint64_t number);
uint32_t maildrop_number(const struct maildrop *maildrop, uint32_t uid);

void maildrop_delete(struct maildrop *maildrop, uint32_t uid, uint64_t octets);
bool maildrop_is_deleted(const struct maildrop *maildrop, uint32_t uid);
void maildrop_undelete_all(struct maildrop *maildrop);

/* What STAT tells: without the messages that are marked. */
uint32_t maildrop_messages_left(const struct maildrop *maildrop);
uint64_t maildrop_octets_left(const struct maildrop *maildrop);

#endif
