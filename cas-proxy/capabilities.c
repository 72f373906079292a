#include "cas-proxy/capabilities.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/mem.h"
#include "proto/link.h"

/* What the front itself does. */
static const char *const own_imap4[] = {"IMAP4rev1", "SASL-IR", "LITERAL+", "ID", NULL};
static const char *const own_pop3[] = {"RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", NULL};

/* What depends on the connection, or names the sender: never taken from a back end. */
static const char *const by_hand[] = {"AUTH=", "STARTTLS", "LOGINDISABLED",  "USER",
                                      "SASL",  "STLS",     "IMPLEMENTATION", NULL};

struct list {
    const char **items; /* in the arena, NULL-terminated */
    bool known;
};

struct capabilities {
    struct front_loop *home;
    struct arena arena;
    struct list imap4, pop3;
};

struct capabilities *capabilities_create(struct front_loop *home)
{
    struct capabilities *capabilities = mem_alloc(sizeof(*capabilities));

    capabilities->home = home;
    return capabilities;
}

void capabilities_destroy(struct capabilities **capabilities)
{
    arena_reset(&(*capabilities)->arena);
    free(*capabilities);
    *capabilities = NULL;
}

void capabilities_changed(struct front_loop *home)
{
    struct capabilities *capabilities = home->capabilities;

    arena_reset(&capabilities->arena);
    capabilities->imap4 = capabilities->pop3 = (struct list){0};
}

static const Link__Service *service_of(const struct back *back, const char *name)
{
    const Link__Hello *hello = link_is_up(back->link) ? link_peer(back->link) : NULL;

    for (size_t i = 0; hello != NULL && i < hello->n_services; i++) {
        if (strcmp(hello->services[i]->name, name) == 0)
            return hello->services[i];
    }
    return NULL;
}

static bool service_has(const Link__Service *service, const char *word)
{
    for (size_t i = 0; i < service->n_capabilities; i++) {
        if (str_is_nocase(str_of(word), service->capabilities[i]))
            return true;
    }
    return false;
}

static bool all_have(const struct front_loop *home, const char *service, const char *word)
{
    for (size_t i = 0; i < home->back_count; i++) {
        const Link__Service *there = service_of(&home->backs[i], service);

        if (there != NULL && !service_has(there, word))
            return false;
    }
    return true;
}

static bool is_in(const char *const *list, const char *word)
{
    for (; *list != NULL; list++) {
        if (str_is_nocase(str_of(word), *list))
            return true;
    }
    return false;
}

static bool is_by_hand(const char *word)
{
    for (const char *const *name = by_hand; *name != NULL; name++) {
        if (str_starts_nocase(str_of(word), *name))
            return true;
    }
    return false;
}

/* No control characters: it goes to clients as it is. */
static bool is_clean(const char *word)
{
    for (const char *at = word; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7F)
            return false;
    }
    return *word != '\0';
}

static const Link__Service *first_service(const struct front_loop *home, const char *name)
{
    const Link__Service *service = NULL;

    for (size_t i = 0; service == NULL && i < home->back_count; i++)
        service = service_of(&home->backs[i], name);
    return service;
}

/* The front's own words, then what every back end that serves this protocol has besides. */
static const char *const *list_of(struct capabilities *capabilities, struct list *list,
                                  const char *service, const char *const *own)
{
    const Link__Service *first;
    size_t count = 0;

    if (list->known)
        return list->items;
    first = first_service(capabilities->home, service);
    list->items =
        arena_array(&capabilities->arena, 16 + (first == NULL ? 0 : first->n_capabilities),
                    sizeof(*list->items));
    for (const char *const *word = own; *word != NULL; word++)
        list->items[count++] = *word;
    for (size_t i = 0; first != NULL && i < first->n_capabilities; i++) {
        const char *word = first->capabilities[i];

        if (!is_in(own, word) && !is_by_hand(word) && is_clean(word) &&
            all_have(capabilities->home, service, word))
            list->items[count++] = arena_string(&capabilities->arena, word);
    }
    list->known = true;
    return list->items;
}

static const char *const *imap4_list(struct capabilities *capabilities)
{
    return list_of(capabilities, &capabilities->imap4, "imap4be", own_imap4);
}

static const char *const *pop3_list(struct capabilities *capabilities)
{
    return list_of(capabilities, &capabilities->pop3, "pop3be", own_pop3);
}

static bool service_proves(const Link__Service *service, const char *mechanism)
{
    for (size_t i = 0; i < service->n_mechanisms; i++) {
        if (str_is_nocase(str_of(mechanism), service->mechanisms[i]))
            return true;
    }
    return false;
}

/* All back ends that serve the protocol do; and there is one. */
static bool all_prove(const struct client *client, const char *mechanism)
{
    const struct front_loop *home = client->home;
    bool any = false;

    for (size_t i = 0; i < home->back_count; i++) {
        const Link__Service *there = service_of(&home->backs[i], client->protocol->back_service);

        if (there != NULL && !service_proves(there, mechanism))
            return false;
        any = any || there != NULL;
    }
    return any;
}

/* Which name of a certificate the back ends take for the user's; NULL where they do not agree. */
static const char *external_of(const struct client *client)
{
    const struct front_loop *home = client->home;
    const char *rule = NULL;

    for (size_t i = 0; i < home->back_count; i++) {
        const Link__Service *there = service_of(&home->backs[i], client->protocol->back_service);

        if (there != NULL && rule != NULL && strcmp(there->external, rule) != 0)
            return NULL;
        if (there != NULL)
            rule = there->external;
    }
    return rule;
}

bool capabilities_external(const struct client *client, struct client_facts *room,
                           const char **name)
{
    const struct tls_session *session = client->conn == NULL ? NULL : conn_tls(client->conn);
    const char *rule = external_of(client);

    if (session == NULL || rule == NULL || !tls_session_peer(session, &room->certificate))
        return false;
    *name = "";
    if (strcmp(rule, "email") == 0)
        *name = room->certificate.email;
    else if (strcmp(rule, "common_name") == 0)
        *name = room->certificate.common_name;
    return **name != '\0';
}

bool capabilities_find_mechanism(const struct client *client, struct str name,
                                 enum sasl_mechanism *mechanism)
{
    struct client_facts room;
    const char *user;
    char word[32];

    if (!sasl_find(name, mechanism))
        return false;
    if (*mechanism == SASL_EXTERNAL && !capabilities_external(client, &room, &user))
        return false;
    snprintf(word, sizeof(word), "%.*s", (int)name.length, name.data);
    if (sasl_needs_tls(*mechanism) && !client_is_secured(client))
        return false;
    if (sasl_binds(*mechanism) && !client_may_bind(client))
        return false;
    return !sasl_is_of_back(*mechanism) || all_prove(client, word);
}

static void write_three(struct buf *out, const char *first, const char *second, const char *third)
{
    buf_text(out, first);
    buf_text(out, second);
    buf_text(out, third);
}

void capabilities_mechanisms(const struct client *client, const char *before, const char *after,
                             struct buf *out)
{
    static const char *const best_first[] = {
        "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "EXTERNAL",
        "OAUTHBEARER",        "XOAUTH2",          "PLAIN",         "LOGIN",
    };
    enum sasl_mechanism mechanism;

    for (size_t i = 0; i < sizeof(best_first) / sizeof(*best_first); i++) {
        if (capabilities_find_mechanism(client, str_of(best_first[i]), &mechanism))
            write_three(out, before, best_first[i], after);
    }
}

bool capabilities_may_bind(const struct client *client)
{
    enum sasl_mechanism mechanism;

    return capabilities_find_mechanism(client, STR("SCRAM-SHA-256-PLUS"), &mechanism);
}

bool capabilities_may_login(const struct client *client)
{
    return client_is_secured(client) || client->settings->plaintext_auth;
}

void capabilities_imap4(const struct client *client, struct buf *out)
{
    const char *const *list = imap4_list(client->home->capabilities);

    for (size_t i = 0; list[i] != NULL; i++)
        write_three(out, i == 0 ? "" : " ", list[i], "");
    if (client_may_start_tls(client))
        buf_text(out, " STARTTLS");
    if (capabilities_may_login(client))
        capabilities_mechanisms(client, " AUTH=", "", out);
    else
        buf_text(out, " LOGINDISABLED");
}

void capabilities_pop3(const struct client *client, struct buf *out)
{
    const char *const *list = pop3_list(client->home->capabilities);

    for (size_t i = 0; list[i] != NULL; i++)
        write_three(out, list[i], "\r\n", "");
    if (client_may_start_tls(client))
        buf_text(out, "STLS\r\n");
    if (capabilities_may_login(client)) {
        buf_text(out, "USER\r\nSASL");
        capabilities_mechanisms(client, " ", "", out);
        buf_text(out, "\r\n");
    }
    buf_text(out, "IMPLEMENTATION cas-proxy\r\n");
}

bool capabilities_pop3_has(const struct client *client, const char *word)
{
    return is_in(pop3_list(client->home->capabilities), word);
}
