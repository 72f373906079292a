/* NOTIFY (RFC 5465): what the rest of the engine asks of it and tells it. A session that never gave the
   command has imap->notify NULL and pays nothing. What is to be told while no command runs, or within
   IDLE and NOOP, goes out through a command of the engine's own (command_begin_inner()), so that it
   stops for room and for workers as any other. */
#ifndef IMAP4_NOTIFY_H
#define IMAP4_NOTIFY_H

#include "mailbox-backend/imap4/imap4.h"

/* The session's end. */
void notify_destroy(struct notify **notify);

/* Whether something may be told now that no command asked for. */
bool notify_is_due(struct imap *imap);

/* Begins to tell it: imap->command is another one until all is told, and then what it was before. */
void notify_begin(struct imap *imap);

/* For a command that waits, or has nothing else to do: where something is due, begins with it and
   returns true. Then `return STEP_NEXT`: the command's run is called again behind it. With now, also what waits
   so that many changes are told as one. */
bool notify_interrupt(struct command *command, bool now);

/* The pause after telling has passed (WHY_PAUSE). */
void notify_pause_over(struct imap *imap);

/* ---- the selected folder (RFC 5465 section 6.1) ---- */

/* Whether changes of the selected folder are told by update_run(): EXISTS and EXPUNGE; and flags. */
bool notify_wants_messages(const struct command *command);
bool notify_wants_flags(const struct command *command);

/* These were told by EXISTS: FETCH follows where it was asked for. */
void notify_arrived(struct imap *imap, const struct uidset *uids);

/* Messages that this session put into a folder by itself: for them no FETCH follows. */
void notify_own_arrivals(struct imap *imap, const struct store_mailbox *mailbox, uint32_t folder,
                         uint32_t first, uint32_t last);

/* A folder was selected. */
void notify_selected(struct imap *imap);

/* The selected folder is about to be left. */
void notify_unselected(struct imap *imap);

/* ---- changes of this session's own, which the client knows ---- */

/* An operation of the running command is done. */
void notify_own_operation(struct imap *imap, const struct store_op *op);

/* SUBSCRIBE or UNSUBSCRIBE succeeded. */
void notify_own_subscription(struct imap *imap, struct str path, bool subscribed);

#endif
