/* Taking a whole account over from another IMAP server: folders, subscriptions, messages with flags,
   keywords, dates and, where the folder here is new, UIDVALIDITY and uids. It can be broken off at any
   moment and run again: what is here is not brought twice. Each further run brings what has changed at
   the source, and leaves alone what somebody has changed here meanwhile. Worker threads only. */
#ifndef BACKEND_MIGRATE_H
#define BACKEND_MIGRATE_H

#include "mailbox-backend/remote/imap_client.h"
#include "mailbox-backend/store/store.h"

/* Something to report: of a folder as a whole (uid 0), or of a message that could not be taken. */
struct migrate_row {
    const char *folder;  /* its path here */
    uint32_t uid;        /* at the source; 0: the folder */
    uint64_t messages;   /* that were brought */
    uint64_t bytes;      /* of them */
    uint64_t flags;      /* messages that got the source's new flags */
    uint64_t removed;    /* that had been expunged at the source */
    const char *problem; /* "" for none */
};

struct migrate_progress {
    const char *folder;
    uint64_t done, all; /* messages to bring, in this run; all is what STATUS gave at the start */
    uint64_t bytes;     /* received in this run */
    double seconds;     /* since its start */
};

struct migrate_request {
    struct store *store;
    struct store_mailbox *mailbox;
    struct imap_client_settings source;
    const struct imap_client_settings
        *uidls; /* its POP3 service, for the ids of the inbox; NULL: none */
    /* Paths here: only these folders and those below them (NULL, or ends with NULL: all), without
       these. */
    const char *const *only, *const *without;
    uint64_t size_limit; /* bytes of a message here */
    enum err_code (*row)(void *context, const struct migrate_row *row, struct err *err);
    void (*progress)(void *context, const struct migrate_progress *progress); /* often */
    bool (*wanted)(void *context); /* false: end with ERR_UNAVAILABLE soon */
    void *context;
};

struct migrate_result {
    uint64_t folders, unchanged; /* looked at; of these nothing had changed */
    uint64_t messages, bytes, flags, removed;
    uint64_t kept;        /* expunged or marked at the source, but changed here meanwhile */
    uint64_t refused;     /* messages that could not be taken */
    uint64_t problems;    /* folders that could not be brought, or not as they were */
    uint64_t uidls;       /* POP3 ids taken over */
    uint64_t reconnected; /* times */
};

/* *result is filled on failure, too: what was brought stays. ERR_EXISTS while a migration or a restore into
   the mailbox is under way. */
enum err_code migrate_run(const struct migrate_request *request, struct migrate_result *result,
                          struct err *err);

#endif
