/* What one session sees of a folder: which messages, by which sequence numbers (RFC 3501 section
   2.3.1.2), as last told to its client. Memory follows the number of uid ranges. The view lags
   behind the folder on purpose: view_look() finds what changed, the protocol tells it when it may,
   view_told() makes it so. */
#ifndef MAILBOX_VIEW_H
#define MAILBOX_VIEW_H

#include "mailbox-backend/mailbox/keyword.h"
#include "mailbox-backend/store/store.h"

struct view {
    struct store_mailbox *mailbox; /* the owner's reference, which must last as long as the view */
    uint32_t folder;
    uint32_t uid_validity;
    bool claims_recent; /* new messages become this session's \Recent, and nobody else's */

    struct uidset uids; /* what the client knows, in sequence order */
    uint32_t count;     /* of uids */
    uint32_t *before; /* before[n]: how many uids are in the ranges below range n; NULL: not kept */
    bool unnumbered;  /* view_stop_numbers() was called */
    struct uidset gone;   /* of uids: no longer in the folder, and the client not yet told */
    struct uidset recent; /* of uids: \Recent for this session */
    uint32_t uid_next;    /* uids from here up are not in the view */
    uint64_t modseq;      /* changes up to here were told (apart from gone) */
    uint64_t gone_modseq; /* while gone is not empty: up to here all was told */
    struct keyword_list keywords; /* as told in FLAGS */

    uint64_t mailbox_modseq;      /* of the snapshot that view_look() last saw */
    uint64_t own_first, own_last; /* modseqs of our own changes, when nobody else's can hide behind
                                     them; 0 when there are none */
};

/* Fills an empty view from a snapshot. With claim the new messages become this session's
   \Recent. */
enum err_code view_open(struct view *view, struct store_mailbox *mailbox, struct store_read *read,
                        const struct store_folder *folder, bool claim, struct err *err);
void view_close(struct view *view); /* leaves {0} */

/* The client does without sequence numbers for good (RFC 9586): they are kept no more, and none of the functions that
   take or give one may be called. */
void view_stop_numbers(struct view *view);

uint32_t view_count(const struct view *view);                  /* EXISTS */
uint32_t view_recent_count(const struct view *view);           /* RECENT */
uint32_t view_sequence(const struct view *view, uint32_t uid); /* 0: not in the view */
uint32_t view_uid(const struct view *view, uint32_t sequence); /* 0: no such number */
bool view_is_recent(const struct view *view, uint32_t uid);

/* Turns sequence numbers (as a set like uids) into the uids they stand for. False when one is above
   view_count(). */
bool view_uids_of(const struct view *view, const struct uidset *sequences, struct uidset *uids);

/* Adds to uids those of wanted that are in the view. */
void view_known_uids(const struct view *view, const struct uidset *wanted, struct uidset *uids);

/* What changed since the client was last told. */
struct view_news {
    uint64_t modseq;       /* the folder's at this look: items with view->modseq < modseq <= this
                               have changed flags, or are new */
    uint32_t uid_next;     /* the folder's */
    struct uidset arrived; /* release it */
    uint32_t recent_first; /* of the arrived, those from here up are \Recent */
    bool flags;            /* flags of known messages may have changed */
};

/* Looks what is new in a snapshot; adds to view->gone what vanished. With nothing new, news->modseq
   is view->modseq. ERR_NOT_FOUND: the folder was deleted. */
enum err_code view_look(struct view *view, struct store_read *read, struct view_news *news,
                        struct err *err);

/* The client was told of the arrived: they take the next sequence numbers. */
void view_add_arrived(struct view *view, const struct view_news *news);
/* The client was told of all in view->gone: they leave, higher sequence numbers go down. */
void view_drop_gone(struct view *view);
/* The client was told of flag changes too: the view is as of news->modseq. */
void view_told(struct view *view, const struct view_news *news);

/* Whatever changed up to this modseq was told, what vanished included: a client that begins anew
   from there misses nothing (RFC 7162 section 3.2). */
uint64_t view_settled_modseq(const struct view *view);

/* An operation of this session was given this modseq (0: it changed nothing), and the client knows
   what it changed, so that it needs no telling. To count, view_look() must have been called
   shortly before it was submitted: an item whose flags somebody else changed in between is told. */
void view_own_change(struct view *view, uint64_t modseq);
bool view_is_own(const struct view *view, uint64_t modseq);

#endif
