/* What went wrong, in one shape for the whole house: a code to decide by and a sentence for people.
   Filled where the fault is known, logged once at the top, turned into a protocol's words at its
   edge. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

enum err_code {
    ERR_NONE,
    ERR_INVALID,     /* the arguments make no sense */
    ERR_NOT_FOUND,   /* no such user, folder or message, or not visible to this user */
    ERR_EXISTS,      /* the name is taken */
    ERR_DENIED,      /* known who it is, and not allowed */
    ERR_LIMIT,       /* a quota, a size, a count: the text says which */
    ERR_UNAVAILABLE, /* the back end, its disk or its directory is away: trying again may help */
    ERR_CORRUPT,     /* stored bytes fail their checksum */
    ERR_INTERNAL,    /* our bug */
};

struct err {
    enum err_code code;
    char text[240]; /* one line, no final full stop, safe to log */
};

/* Fills err (which may be NULL) and returns code, so that a function can end with
   `return err_set(err, ERR_LIMIT, "…")`. Text that does not fit is cut. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text that err holds and returns err's code. err must not be NULL. */
enum err_code err_prefix(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fills err from an errno value: ENOENT is NOT_FOUND, EEXIST is EXISTS, EACCES and EPERM are DENIED,
   ENOSPC, EDQUOT, EIO and EROFS are UNAVAILABLE, EINVAL is INVALID, everything else UNAVAILABLE.
   The text is "what: strerror". */
enum err_code err_errno(struct err *err, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A short lower-case word for a code ("not-found"), for logs and JSON. */
const char *err_word(enum err_code code);

#endif
