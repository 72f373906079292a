/* Power cuts: of all that the store wrote and had not synced, any part may be lost or torn, in any order.
   What was acknowledged must be there all the same, and what was under way whole or not at all.

   SEED=n, OPS=n and CUTS=n choose the work. Every cut is made at a moment of its own and with its own
   loss; a failure tells how to repeat it. */
#include <inttypes.h>
#include <sys/stat.h>

#include "tests/unit/store/fixture.h"
#include "tests/unit/store/model_store.h"
#include "tests/unit/store/recorder.h"

#define SEED 7u
#define TURNS 400u
#define CUTS 60u
#define RESOLVE_MS 20000

struct record {
    struct model model; /* at the last mark */
    struct model_store store;
    uint64_t turns; /* made */
    uint32_t (*uid_validities)[MODEL_ACTIONS];
};

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static void want(bool good, const struct model_store *store, uint64_t turn)
{
    if (!good)
        print_error("turn %" PRIu64 ": %s\n", turn, store->why);
    assert_true(good);
}

/* Runs the store and records what it does to the disk; opened again now and then. */
static void make_record(struct record *record, uint64_t turns)
{
    struct model model = {.seed = record->model.seed};

    record->uid_validities = calloc(turns, sizeof(*record->uid_validities));
    recorder_start(record->store.settings.folder);
    want(model_store_open(&record->store), &record->store, 0);
    for (; record->turns < turns; record->turns++) {
        struct model_turn turn;

        model_pick(&model, &turn);
        model_apply(&model, &turn, MODEL_WHOLE);
        want(model_store_run(&record->store, &turn, record->uid_validities[record->turns]),
             &record->store, record->turns);
        recorder_mark(record->turns + 1);
        model_turn_release(&turn);
        if (record->turns % 97 == 96) {
            model_store_close(&record->store);
            want(model_store_open(&record->store), &record->store, record->turns);
        }
    }
    model_store_close(&record->store);
    recorder_stop();
    model_release(&model);
}

static void learn(struct model *model, const struct model_turn *turn, const uint32_t *validities)
{
    for (unsigned i = 0; i < turn->count; i++) {
        const struct model_action *action = &turn->actions[i];
        struct model_folder *folder =
            model_folder(&model->mailboxes[action->mailbox], action->expected.folder);

        if (folder != NULL && action->kind == OP_FOLDER_CREATE)
            folder->uid_validity = validities[i];
    }
}

/* The model as of so many turns. */
static void forward(struct record *record, uint64_t turns)
{
    while (record->model.turn < turns) {
        struct model_turn turn;
        uint64_t number = record->model.turn;

        model_pick(&record->model, &turn);
        model_apply(&record->model, &turn, MODEL_WHOLE);
        learn(&record->model, &turn, record->uid_validities[number]);
        model_turn_release(&turn);
    }
}

static bool agrees(struct record *record, struct model_store *store, uint32_t slices)
{
    struct model model;
    struct model_turn turn;
    bool good;

    model_copy(&model, &record->model);
    model_pick(&model, &turn);
    if (slices > 0)
        model_apply(&model, &turn, slices);
    good = model_store_compare(store, &model, NULL, true, false);
    model_turn_release(&turn);
    model_release(&model);
    return good;
}

/* The turn after the last mark may be there, and what it does in slices may be there to one of them. */
static bool agrees_somehow(struct record *record, struct model_store *store)
{
    struct model_turn turn;
    uint32_t slices = 0;

    if (record->model.turn < record->turns) {
        model_pick(&record->model, &turn);
        slices = model_slices(&record->model, &turn);
        model_turn_release(&turn);
    }
    for (unsigned waited = 0; waited < RESOLVE_MS; waited++) {
        for (uint32_t n = slices + 1; n-- > 0;) /* none last: a difference is told from there */
            if (agrees(record, store, n))
                return true;
        usleep(1000);
    }
    return false;
}

static void one_cut(struct record *record, uint64_t number, uint64_t seed)
{
    struct model_store store = {.settings = record->store.settings};
    char folder[64], command[100];
    enum recorder_loss loss = (enum recorder_loss)(number % LOSS_KINDS);
    bool good;

    snprintf(folder, sizeof(folder), "%.50s-cut", record->store.settings.folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    recorder_cut(folder, loss, seed);
    store.settings.folder = folder;
    good = model_store_open(&store);
    if (good) {
        good = agrees_somehow(record, &store) && model_store_check(&store);
        model_store_close(&store);
    }
    if (!good)
        print_error("cut %" PRIu64 " after turn %" PRIu64 ", loss of kind %d: %s\n", number,
                    record->model.turn, (int)loss, store.why);
    assert_true(good);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

/* The first event behind the first mark. */
static uint64_t first_cut(void)
{
    uint64_t events = 1;

    while (recorder_forward(events) == 0)
        events++;
    return events;
}

static void what_was_acknowledged_survives_any_power_cut(void **state)
{
    static struct record record;
    struct fixture *fixture = *state = fixture_make();
    uint64_t seed = number_of("SEED", SEED), cuts = number_of("CUTS", CUTS);
    uint64_t first, events;

    fixture->settings.segment_size = 1u << 20;
    fixture->settings.recovery_seconds = 1000000;
    fixture->settings.copy_at_once = MODEL_AT_ONCE;
    record.model.seed = seed;
    record.store.settings = fixture->settings;
    make_record(&record, number_of("OPS", TURNS));
    first = first_cut();
    events = recorder_events();
    for (uint64_t n = 0; n < cuts; n++) {
        uint64_t width = (events - first) / cuts;
        uint64_t at = first + n * width + model_random(seed, n, 3) % (width + 1);

        forward(&record, recorder_forward(at));
        one_cut(&record, n, model_random(seed, n, 4));
    }
    print_message("# seed %" PRIu64 ": %" PRIu64 " power cuts in %" PRIu64 " turns, %" PRIu64
                  " events\n",
                  seed, cuts, record.turns, events);
    model_release(&record.model);
    free(record.uid_validities);
    recorder_release();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_was_acknowledged_survives_any_power_cut, fixture_teardown),
    };

    /* What would be lost is known from the record: the disk itself may be memory. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
