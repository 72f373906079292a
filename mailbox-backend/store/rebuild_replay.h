/* One operation that is done again: what the two halves of the replay share. */
#ifndef STORE_REBUILD_REPLAY_H
#define STORE_REBUILD_REPLAY_H

#include "mailbox-backend/store/rebuild_private.h"

struct replay {
    struct rebuild *rebuild;
    struct batch *batch;
    const Journal__Batch *record;
    const Journal__Operation *op;
    struct mailbox_slot *mailbox;
    struct folder_slot *folder; /* NULL: the operation concerns none */
};

/* A folder of the operation's mailbox. One that should be there and is not (the batch that made it is
   missing) is made, under a name that tells. */
enum err_code replay_folder(const struct replay *replay, uint32_t folder, struct folder_slot **slot,
                            struct err *err);

/* The operation's modseq, for the folder and the mailbox. */
void replay_modseq(const struct replay *replay, struct folder_slot *folder);

/* What a claim left behind is removed before anything else comes into the folder. */
enum err_code replay_end_claim(const struct replay *replay, struct folder_slot *folder,
                               struct err *err);

/* In rebuild_items.c. */
enum err_code replay_append(const struct replay *replay, struct err *err);
enum err_code replay_flags(const struct replay *replay, struct err *err);
enum err_code replay_expunge(const struct replay *replay, struct err *err);
enum err_code replay_copy(const struct replay *replay, struct err *err);
enum err_code replay_claim(const struct replay *replay, struct err *err);

/* In rebuild_contents.c. */
enum err_code replay_purge(const struct replay *replay, struct err *err);
enum err_code replay_content(const struct replay *replay, struct err *err);

/* The appended message's content gets one more reference, or its row. ERR_NOT_FOUND: it is not known. */
enum err_code replay_take_content(const struct replay *replay, struct err *err);

/* A recovered item's row goes, and its content stays. Older records do not name its keywords: it gets those that it
   had, in its own folder. ERR_NOT_FOUND: there is no such row. */
enum err_code replay_take_back(const struct replay *replay, struct store_item *item,
                               struct err *err);

#endif
