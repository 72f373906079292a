#include "cas-proxy/lmtp_access.h"

static bool is_local(const struct net_address *address)
{
    static const char *const networks[] = {"unix", "127.0.0.0/8", "::1"};
    struct net_range range;

    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
        if (net_range_parse(&range, networks[i], NULL) == ERR_NONE &&
            net_range_has(&range, address))
            return true;
    return false;
}

enum lmtp_access lmtp_access(const struct client *client)
{
    const struct front *front = client->home->front;
    struct tls_peer_facts facts;

    if (is_local(&client->peer) ||
        front_has(front->lmtp_allowed, front->lmtp_allowed_count, &client->peer))
        return LMTP_ALLOWED;
    if (client_is_secured(client))
        return tls_session_peer(conn_tls(client->conn), &facts) ? LMTP_ALLOWED : LMTP_REFUSED;
    return client_may_start_tls(client) ? LMTP_AFTER_TLS : LMTP_REFUSED;
}
