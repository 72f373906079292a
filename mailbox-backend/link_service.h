/* The back end's side of all links: listens, spreads the links that come over the loops, says in Hello
   which services run, answers the fronts' questions and starts the sessions they open. */
#ifndef BACKEND_LINK_SERVICE_H
#define BACKEND_LINK_SERVICE_H

#include "mailbox-backend/backend.h"

struct link_service;

/* Reads the certificates and binds the sockets of the settings. loop takes what comes; the links are
   spread over the back end's loops. ERR_EXISTS when an address is taken. */
enum err_code link_service_open(struct link_service **service, struct backend *backend,
                                struct loop *loop, struct err *err);

/* Takes links from now on. The loop's thread, or before it runs. */
void link_service_start(struct link_service *service);

/* Reads the certificates again; new links have the new ones. On failure the old ones stay. The
   loop's thread. */
enum err_code link_service_reload(struct link_service *service, struct err *err);

/* Switches one of the back end's services on or off: what service_switch of common/service.h wants, with the
   link service as context. Switching off ends its sessions. */
enum err_code link_service_switch(void *service, const char *name, bool run, struct err *err);

/* Stops listening and asks the fronts for no more sessions. The loop's thread. */
void link_service_drain(struct link_service *service, const char *reason);

/* Ends all links, with what is written to them still being sent. Each loop does its part when it
   comes to it. */
void link_service_end_links(struct link_service *service);

/* Links that stand on all loops, as of now. Any thread. */
unsigned link_service_links(struct link_service *service);

/* When the loops have ended. */
void link_service_close(struct link_service **service);

#endif
