/* What delivery computes once so that listing a folder need not open its messages. */
#ifndef MAILBOX_BACKEND_MIME_SUMMARY_H
#define MAILBOX_BACKEND_MIME_SUMMARY_H

#include "common/buf.h"
#include "common/err.h"
#include "mailbox-backend/mime/part.h"

/* A summary is never longer. */
#define MIME_SUMMARY_MAX 1900

struct mime_summary {
    struct str envelope;      /* as mime_envelope_write() writes it */
    struct str bodystructure; /* as mime_bodystructure_write() writes it */
};

/* Appends the summary of a message to out. False, and nothing appended, when it would be too long:
   then it is computed when asked for. */
bool mime_summary_build(const struct mime_part *root, struct buf *out);

/* Reads a summary; the strs point into data. ERR_CORRUPT when it is damaged, ERR_NOT_FOUND when it
   is of another version (compute it anew). */
enum err_code mime_summary_open(const void *data, size_t length, struct mime_summary *summary,
                                struct err *err);

/* Whether a part is message/global, which the summary tells as a leaf. It may be wrong about a parameter
   that looks so. */
bool mime_summary_has_global(const struct mime_summary *summary);

/* Appends BODY, as mime_body_write() writes it, made from the BODYSTRUCTURE of a summary by leaving
   out the extension data. ERR_CORRUPT when that is damaged; out then holds a part of the answer. */
enum err_code mime_summary_body(const struct mime_summary *summary, struct buf *out,
                                struct err *err);

#endif
