/* Gathers a command from the bytes of a client: its line, its literals, the lines behind them. Asks
   for literals that wait for us, refuses what is over the limits, and drops what is not wanted
   without holding it. Knows no session: bytes in one buffer, "+" lines into another. */
#ifndef IMAP4_INPUT_H
#define IMAP4_INPUT_H

#include "common/buf.h"
#include "mailbox-backend/imap4/parse.h"

/* Bytes of a command's lines, literals not counted. */
#define INPUT_LINES_MAX ((size_t)64 << 10)

enum input_event {
    INPUT_WAIT,     /* more bytes are needed */
    INPUT_COMMAND,  /* text holds a whole command, without its last CRLF */
    INPUT_STREAM,   /* the same, and a literal follows that the command takes by itself */
    INPUT_TOO_LONG, /* lines over the limit: dropped; text holds their beginning */
    INPUT_TOO_BIG,  /* a literal over the limit: not asked for, or dropped; text as before it */
};

struct input {
    struct buf text;        /* the command so far; stays until input_next_command() */
    size_t line_start;      /* in text: of the line being read */
    size_t line_bytes;      /* of all its lines so far */
    uint64_t literal_bytes; /* of all its literals so far */
    uint64_t left;          /* of the literal being read or dropped */
    unsigned mode;          /* enum in input.c */
    enum input_event then;  /* when the dropping has ended */
    struct buf line;        /* input_line()'s */
    bool line_whole;        /* and it was given */
    size_t tail_length;     /* of a line being dropped, its newest bytes: */
    char tail[32];
};

/* Decides, for a text that ends in a literal, whether the command takes that one by itself. */
typedef bool input_streams(struct str text);

/* Takes bytes from in until something is there to be done. max_literals: bytes of all literals of a
   command. Not to be called again after a command before input_next_command(). */
enum input_event input_read(struct input *input, struct buf *in, struct buf *out,
                            uint64_t max_literals, input_streams *streams);

/* The command so far, without the CRLF at its end. */
struct str input_text(const struct input *input);

/* Ends the command in text; the next one may begin. */
void input_next_command(struct input *input);

/* The command gives up a streamed literal: left bytes of it and the rest of its lines will be
   dropped before the next command begins. */
void input_drop(struct input *input, uint64_t left);

/* For IDLE: true when a line is there; *line is its beginning (256 bytes at most) without line end,
   good until the next call. */
bool input_line(struct input *input, struct buf *in, struct str *line);

/* Gives memory back: all of it, or what an idle session need not keep. */
void input_release(struct input *input);
void input_release_idle(struct input *input);

#endif
