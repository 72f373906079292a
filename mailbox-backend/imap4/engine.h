/* The IMAP4 engine, service imap4be. */
#ifndef IMAP4_ENGINE_H
#define IMAP4_ENGINE_H

#include "mailbox-backend/session.h"

extern const struct engine imap4_engine;

#endif
