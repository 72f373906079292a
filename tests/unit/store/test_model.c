/* Random operations on a store and on a plain model of it: they agree after each, also when the process
   that runs the store is killed at any call to the disk. What was acknowledged is there then; what was
   under way is there whole or not at all.

   SEED=n and OPS=n choose the work; a failure tells how to repeat it. */
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tests/unit/store/disk_calls.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/model_store.h"

#define SEED 20261124u
#define OPERATIONS 10000u
#define LIFE_TURNS 80u /* of a process, at most; about as many until it is killed */
#define DEEP_EVERY 80u /* turns */
#define CHECK_EVERY 300u
#define RESOLVE_MS 20000 /* while what was expunged becomes recoverable in slices */

/* ---- dying at a call to the disk ---- */

static atomic_long calls_left; /* until the process dies; 0: it does not */

static bool is_last_call(void)
{
    return atomic_load(&calls_left) > 0 && atomic_fetch_sub(&calls_left, 1) == 1;
}

/* A write is cut off half-way. */
static void maybe_die(struct disk_call *call)
{
    uint64_t length = 0;

    if (!is_last_call())
        return;
    for (int i = 0; i < call->count; i++)
        length += call->parts[i].iov_len;
    disk_write_part(call, length / 2);
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* ---- the process that runs the store ---- */

/* A turn was done, durably. */
struct ack {
    uint64_t turn;
    uint32_t slices; /* of it; MODEL_WHOLE */
    uint32_t uid_validities[MODEL_ACTIONS];
};

struct life {
    struct model *model; /* the process has its own */
    struct model_store store;
    uint64_t number;
    int pipe;
};

static void differ(const struct life *life)
{
    fprintf(stderr, "turn %" PRIu64 ", life %" PRIu64 ": %s\n", life->model->turn, life->number,
            life->store.why);
    _exit(1);
}

static void acknowledge(struct life *life, const struct ack *ack)
{
    if (write(life->pipe, ack, sizeof(*ack)) != sizeof(*ack))
        _exit(2);
}

static void learn(struct model *model, const struct model_turn *turn, const struct ack *ack)
{
    for (unsigned i = 0; i < turn->count; i++) {
        const struct model_action *action = &turn->actions[i];
        struct model_folder *folder =
            model_folder(&model->mailboxes[action->mailbox], action->expected.folder);

        if (folder != NULL && action->kind == OP_FOLDER_CREATE)
            folder->uid_validity = ack->uid_validities[i];
    }
}

/* The model as it is when so many slices of the next turn were done. */
static void candidate(const struct life *life, uint32_t slices, struct model *model,
                      struct model_turn *turn)
{
    model_copy(model, life->model);
    model_pick(model, turn);
    if (slices > 0)
        model_apply(model, turn, slices);
}

static bool is_candidate(struct life *life, uint32_t slices)
{
    struct model model;
    struct model_turn turn;
    struct ack ack = {.turn = life->model->turn, .slices = slices};
    bool good;

    candidate(life, slices, &model, &turn);
    good = model_store_compare(&life->store, &model, NULL, true, false);
    if (!good || slices == 0) {
        model_release(&model);
    } else {
        for (unsigned i = 0; i < turn.count; i++) {
            struct model_folder *folder = model_folder(&model.mailboxes[turn.actions[i].mailbox],
                                                       turn.actions[i].expected.folder);

            ack.uid_validities[i] = folder == NULL ? 0 : folder->uid_validity;
        }
        acknowledge(life, &ack);
        model_release(life->model);
        *life->model = model;
    }
    model_turn_release(&turn);
    return good;
}

/* The turn that was under way in the life before is done, to some slice, or it is not. */
static void resolve(struct life *life)
{
    struct model_turn turn;
    uint32_t slices;

    model_pick(life->model, &turn);
    slices = model_slices(life->model, &turn);
    model_turn_release(&turn);
    for (unsigned waited = 0; waited < RESOLVE_MS; waited++) {
        for (uint32_t n = slices + 1; n-- > 0;) /* none last: a difference is told from there */
            if (is_candidate(life, n))
                return;
        usleep(1000);
    }
    differ(life);
}

static void one_turn(struct life *life)
{
    struct model_turn turn;
    struct ack ack = {.turn = life->model->turn, .slices = MODEL_WHOLE};
    bool deep = ack.turn % DEEP_EVERY == DEEP_EVERY - 1;

    model_pick(life->model, &turn);
    model_apply(life->model, &turn, MODEL_WHOLE);
    if (!model_store_run(&life->store, &turn, ack.uid_validities))
        differ(life);
    acknowledge(life, &ack);
    learn(life->model, &turn, &ack);
    if (!model_store_compare(&life->store, life->model, &turn, deep, true))
        differ(life);
    if (ack.turn % CHECK_EVERY == CHECK_EVERY - 1 && !model_store_check(&life->store))
        differ(life);
    model_turn_release(&turn);
}

/* Most end by being killed: some while opening, some in the slices after their last turn. */
static void live(struct life *life)
{
    uint64_t seed = life->model->seed;
    uint64_t dice = model_random(seed, life->number, 1);
    unsigned turns = 1 + (unsigned)(dice % LIFE_TURNS);
    bool ends_well = dice / 64 % 6 == 0;

    disk_before = maybe_die;
    if (dice / 512 % 8 == 0)
        calls_left = 1 + (long)(dice / 4096 % 20);
    if (!model_store_open(&life->store))
        differ(life);
    resolve(life);
    calls_left = 0;
    while (turns-- > 0)
        one_turn(life);
    if (!ends_well)
        calls_left = 1 + (long)(dice / 4096 % 12);
    for (unsigned more = 0; !ends_well && more < LIFE_TURNS; more++)
        one_turn(life);
    model_store_close(&life->store);
    _exit(0);
}

/* ---- who watches it ---- */

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* Does on its own model what was acknowledged. Gives the number of operations. */
static unsigned follow(struct model *model, const struct ack *ack)
{
    struct model_turn turn;
    unsigned count;

    assert_int_equal(ack->turn, model->turn);
    model_pick(model, &turn);
    model_apply(model, &turn, ack->slices);
    learn(model, &turn, ack);
    count = turn.count;
    model_turn_release(&turn);
    return count;
}

static uint64_t watch(struct model *model, const struct store_settings *settings, uint64_t number,
                      bool *killed)
{
    static struct life life;
    struct ack ack;
    uint64_t operations = 0;
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        life = (struct life){model, {.settings = *settings}, number, ends[1]};
        live(&life);
    }
    close(ends[1]);
    while (read(ends[0], &ack, sizeof(ack)) == sizeof(ack))
        operations += follow(model, &ack);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    *killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!*killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        print_error("again: SEED=%" PRIu64 " OPS=%" PRIu64 " test_model\n", model->seed,
                    number_of("OPS", OPERATIONS));
    assert_true(*killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return operations;
}

static void the_store_agrees_with_a_plain_model_through_crashes(void **state)
{
    struct fixture *fixture = *state = fixture_make();
    uint64_t wanted = number_of("OPS", OPERATIONS);
    uint64_t operations = 0, lives = 0, deaths = 0;
    struct model model = {.seed = number_of("SEED", SEED)};

    fixture->settings.segment_size = 1u << 20;
    fixture->settings.recovery_seconds = 1000000;
    fixture->settings.copy_at_once = MODEL_AT_ONCE;
    while (operations < wanted) {
        bool killed;

        operations += watch(&model, &fixture->settings, lives++, &killed);
        deaths += killed;
        if (lives % 1000 == 0)
            print_message("# %" PRIu64 " operations, killed %" PRIu64 " times\n", operations,
                          deaths);
    }
    assert_true(deaths * 10 > lives);
    print_message("# seed %" PRIu64 ": %" PRIu64 " operations, %" PRIu64 " lives, %" PRIu64
                  " of them killed\n",
                  model.seed, operations, lives, deaths);
    model_release(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_store_agrees_with_a_plain_model_through_crashes,
                                  fixture_teardown),
    };

    /* Only processes die here, not the machine: memory does for a disk. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
