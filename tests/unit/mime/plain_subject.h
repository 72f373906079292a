/* The base subject as section 2.1 of RFC 5256 says it, step by step, however slow: what the tests compare
   with. Encoded words and white space are done already (step 1). */
#ifndef TESTS_UNIT_MIME_PLAIN_SUBJECT_H
#define TESTS_UNIT_MIME_PLAIN_SUBJECT_H

#include <string.h>
#include <strings.h>

#include "common/str.h"

/* The length of *BLOBCHAR in brackets and the spaces behind; 0: there is none. */
static inline size_t plain_blob(const char *text, size_t length)
{
    size_t i = 1;

    if (length == 0 || text[0] != '[')
        return 0;
    while (i < length && text[i] != '[' && text[i] != ']')
        i++;
    if (i == length || text[i] == '[')
        return 0;
    for (i++; i < length && (text[i] == ' ' || text[i] == '\t');)
        i++;
    return i;
}

static inline size_t plain_refwd(const char *text, size_t length)
{
    size_t i = 0;

    if (length >= 3 && strncasecmp(text, "fwd", 3) == 0)
        i = 3;
    else if (length >= 2 && (strncasecmp(text, "re", 2) == 0 || strncasecmp(text, "fw", 2) == 0))
        i = 2;
    else
        return 0;
    while (i < length && (text[i] == ' ' || text[i] == '\t'))
        i++;
    i += plain_blob(text + i, length - i);
    return i < length && text[i] == ':' ? i + 1 : 0;
}

/* The length of a subj-leader. */
static inline size_t plain_leader(const char *text, size_t length)
{
    size_t blobs = 0;
    size_t one;

    if (length > 0 && (text[0] == ' ' || text[0] == '\t'))
        return 1;
    while ((one = plain_blob(text + blobs, length - blobs)) > 0)
        blobs += one;
    one = plain_refwd(text + blobs, length - blobs);
    return one > 0 ? blobs + one : 0;
}

static inline size_t plain_trailer(const char *text, size_t length)
{
    if (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        return 1;
    return length >= 5 && strncasecmp(text + length - 5, "(fwd)", 5) == 0 ? 5 : 0;
}

static inline struct str plain_subject(struct str text)
{
    size_t one;

    for (;;) {
        while ((one = plain_trailer(text.data, text.length)) > 0) /* step 2 */
            text.length -= one;
        do {
            one = plain_leader(text.data, text.length); /* step 3 */
            if (one == 0) {
                one = plain_blob(text.data, text.length); /* step 4 */
                if (one == text.length)
                    one = 0;
            }
            text = str_n(text.data + one, text.length - one);
        } while (one > 0); /* step 5 */
        if (text.length < 6 || strncasecmp(text.data, "[fwd:", 5) != 0 ||
            text.data[text.length - 1] != ']')
            return text;
        text = str_n(text.data + 5, text.length - 6); /* step 6 */
    }
}

#endif
