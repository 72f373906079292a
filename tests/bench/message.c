#include "tests/bench/message.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Words of different lengths: text that compresses about as well as mail does. */
static const char *const words[] = {
    "account", "after",  "answer", "because",  "before",  "board",  "change",   "colleague",
    "could",   "date",   "delay",  "document", "every",   "figure", "first",    "from",
    "have",    "houses", "letter", "meeting",  "message", "never",  "number",   "offer",
    "order",   "people", "please", "report",   "should",  "their",  "thursday", "would",
};

/* xorshift: good enough for choosing words, and the same everywhere. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const char *word(uint64_t *state)
{
    return words[next(state) % (sizeof(words) / sizeof(words[0]))];
}

static size_t header(char *buffer, unsigned long number, uint64_t *state)
{
    uint64_t id = next(state);
    const char *first = word(state);

    return (size_t)sprintf(
        buffer,
        "Received: from relay%lu.example.net (relay%lu.example.net [192.0.2.%lu])\r\n"
        "\tby mx.example.org with ESMTPS id %016llx;\r\n"
        "\tTue, 24 Nov 2026 10:%02lu:%02lu +0000\r\n"
        "From: Person %lu <person%lu@example.net>\r\n"
        "To: Reader <reader@example.org>, other%lu@example.com\r\n"
        "Subject: %s %s %s %lu\r\n"
        "Date: Tue, 24 Nov 2026 10:%02lu:%02lu +0000\r\n"
        "Message-ID: <%016llx.%lu@example.net>\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n",
        number % 9, number % 9, number % 250, (unsigned long long)id, number / 60 % 60, number % 60,
        number % 400, number % 400, number % 70, first, number % 100 == 17 ? "needle" : word(state),
        word(state), number, number / 60 % 60, number % 60, (unsigned long long)id, number);
}

/* A line of 70 octets. Letters of any 8-bit charset, so that nobody mistakes it for text. */
static size_t dense_line(char *buffer, uint64_t *state)
{
    for (size_t i = 0; i < 70; i++) {
        uint64_t byte = next(state) >> 32 & 0xFF;

        buffer[i] = (char)(byte < ' ' || byte == '.' ? byte + 128 : byte);
    }
    memcpy(buffer + 70, "\r\n", 2);
    return 72;
}

static size_t text_line(char *buffer, uint64_t *state)
{
    size_t used = 0;

    while (used < 62) {
        const char *text = word(state);
        size_t length = strlen(text);

        memcpy(buffer + used, text, length);
        used += length;
        buffer[used++] = ' ';
    }
    memcpy(buffer + used - 1, "\r\n", 2);
    return used + 1;
}

size_t message_make(char *buffer, size_t size, unsigned long number, bool dense)
{
    uint64_t state = (number + 1) * 0x9E3779B97F4A7C15U;
    size_t used = header(buffer, number, &state);

    if (number % 100 == 59)
        used += (size_t)sprintf(buffer + used, "haystack\r\n");
    while (used + 80 < size)
        used += dense ? dense_line(buffer + used, &state) : text_line(buffer + used, &state);
    memcpy(buffer + used, "end\r\n", 5);
    return used + 5;
}
