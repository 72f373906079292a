/* The commands of LMTP (RFC 2033) and when each may come. */
#include <stdio.h>

#include "cas-proxy/lmtp_access.h"
#include "cas-proxy/lmtp_session.h"
#include "common/log.h"

typedef void handler(struct lmtp *lmtp, struct str argument);

static void say_hello(struct lmtp *lmtp)
{
    const struct front_settings *settings = lmtp->client->home->front->settings;

    client_printf(lmtp->client, "250-%s\r\n", settings->front.name);
    client_write(lmtp->client, "250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                               "250-CHUNKING\r\n");
    if (client_may_start_tls(lmtp->client))
        client_write(lmtp->client, "250-STARTTLS\r\n");
    lmtp_say(lmtp, "250 ENHANCEDSTATUSCODES");
}

static void do_lhlo(struct lmtp *lmtp, struct str argument)
{
    struct str name;
    enum lmtp_fault fault = lmtp_lhlo(argument, &name);

    if (fault != LMTP_FINE) {
        lmtp_say_fault(lmtp, lmtp_fault_reply(fault));
        return;
    }
    lmtp_reset(lmtp, LINK__CLOSE__REASON__NORMAL);
    snprintf(lmtp->name, sizeof(lmtp->name), "%.*s", (int)name.length, name.data);
    say_hello(lmtp);
}

static void do_smtp_hello(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_say_fault(lmtp, "500 5.5.1 this is LMTP, say LHLO");
}

/* RFC 3207; what was said in clear is forgotten when CLIENT_SECURED comes. */
static void do_starttls(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    if (client_is_secured(lmtp->client)) {
        lmtp_say_fault(lmtp, "503 5.5.1 TLS is already there");
    } else if (!client_may_start_tls(lmtp->client)) {
        lmtp_say(lmtp, "454 4.7.0 TLS is not available");
    } else {
        lmtp_say(lmtp, "220 2.0.0 ready to start TLS");
        client_start_tls(lmtp->client);
    }
}

static void do_mail(struct lmtp *lmtp, struct str argument)
{
    enum lmtp_fault fault = lmtp_mail(argument, &lmtp->mail);

    if (fault != LMTP_FINE) {
        lmtp_say_fault(lmtp, lmtp_fault_reply(fault));
        return;
    }
    lmtp->has_mail = true;
    lmtp_say(lmtp, "250 2.1.0 sender accepted");
}

static void do_rset(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_reset(lmtp, LINK__CLOSE__REASON__NORMAL);
    lmtp_say(lmtp, "250 2.0.0 reset");
}

static void do_noop(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_say(lmtp, "250 2.0.0 still here");
}

static void do_vrfy(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_say(lmtp, "252 2.5.0 cannot tell, RCPT can");
}

static void do_help(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_say(lmtp, "214 2.0.0 LHLO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT");
}

static void do_quit(struct lmtp *lmtp, struct str argument)
{
    (void)argument;
    lmtp_say(lmtp, "221 2.0.0 bye");
    client_end(lmtp->client, "done");
}

/* ---- the dispatcher ---- */

enum need {
    NEED_NOTHING,
    NEED_LHLO,  /* said, and no transaction */
    NEED_MAIL,  /* a transaction, without content as yet */
    NEED_ENTRY, /* only to be let in: the handler sees to the rest */
};

static const struct command {
    const char *name;
    enum need need;
    bool is_bare; /* RFC 5321 section 4.1.1: arguments are a syntax error */
    handler *handler;
} commands[] = {
    {"LHLO",     NEED_NOTHING, false, do_lhlo      },
    {"EHLO",     NEED_NOTHING, false, do_smtp_hello},
    {"HELO",     NEED_NOTHING, false, do_smtp_hello},
    {"STARTTLS", NEED_NOTHING, true,  do_starttls  },
    {"MAIL",     NEED_LHLO,    false, do_mail      },
    {"RCPT",     NEED_MAIL,    false, lmtp_do_rcpt },
    {"DATA",     NEED_MAIL,    true,  lmtp_do_data },
    {"BDAT",     NEED_ENTRY,   false, lmtp_do_bdat },
    {"RSET",     NEED_NOTHING, true,  do_rset      },
    {"NOOP",     NEED_NOTHING, false, do_noop      },
    {"VRFY",     NEED_ENTRY,   false, do_vrfy      },
    {"HELP",     NEED_NOTHING, false, do_help      },
    {"QUIT",     NEED_NOTHING, true,  do_quit      },
};

static bool is_in_order(const struct lmtp *lmtp, enum need need)
{
    if (need == NEED_LHLO)
        return lmtp->name[0] != '\0' && !lmtp->has_mail;
    if (need == NEED_MAIL)
        return lmtp->has_mail && !lmtp->content.begun;
    return true;
}

static void call(struct lmtp *lmtp, const struct command *command, struct str argument)
{
    if (command->need != NEED_NOTHING && lmtp_access(lmtp->client) != LMTP_ALLOWED) {
        lmtp_say(lmtp,
                 "554 5.7.1 no mail is taken from you; a certificate of this deployment, shown "
                 "under STARTTLS, would be good");
        client_end(lmtp->client, "refused: not in lmtp_networks, and no certificate");
    } else if (!is_in_order(lmtp, command->need)) {
        lmtp_say_fault(lmtp, "503 5.5.1 bad sequence of commands");
    } else if (command->is_bare && argument.length > 0) {
        lmtp_say_fault(lmtp, "501 5.5.4 this command has no arguments");
    } else {
        command->handler(lmtp, argument);
    }
}

void lmtp_dispatch(struct lmtp *lmtp, struct str line)
{
    struct lmtp_command said;

    lmtp_split(line, &said);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (str_is_nocase(said.verb, commands[i].name)) {
            call(lmtp, &commands[i], said.argument);
            return;
        }
    }
    lmtp_say_fault(lmtp, "500 5.5.1 unknown command");
}
