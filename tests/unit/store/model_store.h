/* The work of the model done on a store, and the two compared. */
#ifndef TESTS_STORE_MODEL_STORE_H
#define TESTS_STORE_MODEL_STORE_H

#include "tests/unit/store/model.h"

struct model_store {
    struct store_settings settings;
    struct store *store;
    struct store_mailbox *mailboxes[MODEL_MAILBOXES]; /* NULL: not there */
    char why[480];                                    /* the last difference */
};

/* Opens it, with the mailboxes that it has. */
bool model_store_open(struct model_store *store);
void model_store_close(struct model_store *store);

/* Does what the model has done, and compares each result with what was expected. uid_validities: of
   the folders that came. False: see why. */
bool model_store_run(struct model_store *store, const struct model_turn *turn,
                     uint32_t uid_validities[MODEL_ACTIONS]);

/* All that clients can see, with the bytes of every fourth message. Where deep is false: counts of all
   folders, items of those that the turn names. UIDVALIDITYs that the model does not know yet are taken
   over. What expunges and deleted folders left comes in slices: with wait it is given the time. */
bool model_store_compare(struct model_store *store, struct model *model,
                         const struct model_turn *turn, bool deep, bool wait);

/* The store's own check of all that is in it. */
bool model_store_check(struct model_store *store);

#endif
