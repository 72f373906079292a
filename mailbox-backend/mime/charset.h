/* Text in the charsets of mail to UTF-8, over iconv(3), for charsets of a list only. */
#ifndef MAILBOX_BACKEND_MIME_CHARSET_H
#define MAILBOX_BACKEND_MIME_CHARSET_H

#include "common/buf.h"
#include "common/err.h"
#include "common/str.h"

/* Opens every charset of the list once and keeps it open, so that nothing need be read from the
   disk later, when the process may be sandboxed. To be called before threads begin. ERR_UNAVAILABLE
   when the system lacks some, which stay away while the others serve; the text names the first. */
enum err_code charset_init(struct err *err);

/* Whether a name (any case, with the usual aliases) is on the list. */
bool charset_known(struct str name);

/* The n-th charset's main name, for BADCHARSET; NULL behind the last one. */
const char *charset_name(unsigned n);

/* One conversion. Streams share nothing, so each may live on its own thread. */
struct charset_stream {
    void *handle;
    size_t kept; /* bytes of an unfinished character */
    unsigned char keep[16];
};

/* Begins a conversion from the named charset to UTF-8. ERR_NOT_FOUND: not on the list.
   ERR_UNAVAILABLE: the system cannot. On success charset_close() must follow. An empty name and
   us-ascii are read as UTF-8, and a few names as their usual superset (iso-8859-1 as windows-1252,
   gb2312 as gb18030), since that is what senders mean. */
enum err_code charset_open(struct charset_stream *stream, struct str name, struct err *err);

/* Converts the next bytes and appends valid UTF-8 to out. What the charset does not have
   becomes U+FFFD. */
void charset_feed(struct charset_stream *stream, const void *data, size_t length, struct buf *out);

/* Ends the text: an unfinished character becomes U+FFFD. The stream is as new afterwards. */
void charset_finish(struct charset_stream *stream, struct buf *out);

void charset_close(struct charset_stream *stream);

/* The whole of text at once. Same errors as charset_open(), and then nothing is appended. */
enum err_code charset_convert(struct str charset, struct str text, struct buf *out,
                              struct err *err);

#endif
