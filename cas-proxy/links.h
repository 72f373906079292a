/* The links of one loop: one to each back end of the settings, for as long as the loop runs. */
#ifndef FRONT_LINKS_H
#define FRONT_LINKS_H

#include "cas-proxy/front.h"

/* Fills home->backs, home->route and home->capabilities, and begins to connect. home->front and
   home->loop are set. On the loop's thread, or before it runs. */
enum err_code links_open(struct front_loop *home, struct err *err);

/* From their next connection on links over TCP use context, a struct tls_context. For front_on_loops(). */
void links_renew_tls(struct front_loop *home, void *context);

/* Ends the links; the clients must have been ended. On the loop's thread. */
void links_close(struct front_loop *home);

/* Frees what links_open() made, after the loop has run its last turn. */
void links_free(struct front_loop *home);

#endif
