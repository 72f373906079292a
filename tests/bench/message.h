/* Messages to measure with: made up, the same for the same number, no two alike. */
#ifndef BENCH_MESSAGE_H
#define BENCH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    MESSAGE_SLACK = 4096 /* what a buffer must have beyond the wanted size */
};

/* Writes message number with about size octets to buffer; returns its exact size. Every hundredth has
   "needle" in its subject, every hundredth another, "haystack", in its text. No line begins with a
   dot, and the last one ends with CRLF. dense: the text is 8-bit bytes that do not compress. */
size_t message_make(char *buffer, size_t size, unsigned long number, bool dense);

#endif
