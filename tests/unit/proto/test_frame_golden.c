/* The wire must stay what it is: frames recorded once are read and written as ever. */
#include "tests/unit/proto/unit.h"

#include "proto/frame.h"

#define GOLDEN "tests/unit/proto/frames.golden"
#define TEXT(literal) ((char *)(literal))
#define BYTES(literal)                                                                             \
    {                                                                                              \
        .len = sizeof(literal) - 1, .data = (uint8_t *)(literal)                                   \
    }
#define SAMPLES 20

static Link__Service service = {
    .base = PROTOBUF_C_MESSAGE_INIT(&link__service__descriptor),
    .name = TEXT("imap4be"),
    .n_capabilities = 2,
    .capabilities = (char *[]){TEXT("IMAP4rev1"), TEXT("IDLE")}
};
static Link__Service *services[] = {&service};
static Link__Pair pair = {.base = PROTOBUF_C_MESSAGE_INIT(&link__pair__descriptor),
                          .key = TEXT("name"),
                          .value = TEXT("Thunderbird")};
static Link__Pair *pairs[] = {&pair};
static Link__Client client = {.base = PROTOBUF_C_MESSAGE_INIT(&link__client__descriptor),
                              .address = TEXT("192.0.2.7"),
                              .port = 50123,
                              .local_address = TEXT("2001:db8::1"),
                              .local_port = 993,
                              .secured = true,
                              .tls_version = TEXT("TLSv1.3"),
                              .tls_cipher = TEXT("TLS1-3-AES-256-GCM-SHA384"),
                              .server_name = TEXT("mail.example.test"),
                              .certificate_subject = TEXT("CN=alice")};

/* Of a later day: what binds to TLS, and who the client's certificate names. */
static Link__Binding binding = {.base = PROTOBUF_C_MESSAGE_INIT(&link__binding__descriptor),
                                .name = TEXT("tls-exporter"),
                                .data = BYTES("value")};
static Link__Binding *bindings[] = {&binding};
static Link__Client certified = {.base = PROTOBUF_C_MESSAGE_INIT(&link__client__descriptor),
                                 .n_bindings = 1,
                                 .bindings = bindings,
                                 .certificate_common_name = TEXT("alice"),
                                 .certificate_email = TEXT("alice@example.test"),
                                 .certificate_fingerprint = TEXT("00ff")};
static Link__Service external = {.base = PROTOBUF_C_MESSAGE_INIT(&link__service__descriptor),
                                 .name = TEXT("pop3be"),
                                 .n_mechanisms = 1,
                                 .mechanisms = (char *[]){TEXT("EXTERNAL")},
                                 .external = TEXT("email")};
static Link__Service *externals[] = {&external};
static Link__Open certified_body = {.base = PROTOBUF_C_MESSAGE_INIT(&link__open__descriptor),
                                    .mechanism = TEXT("EXTERNAL"),
                                    .client = &certified};
static Link__Hello external_body = {.base = PROTOBUF_C_MESSAGE_INIT(&link__hello__descriptor),
                                    .n_services = 1,
                                    .services = externals};

/* Field by field: a number that moves in link.proto moves a byte in the golden file. */
#define ADD(kind, upper, ...)                                                                      \
    static Link__##kind kind##_body = {                                                            \
        .base = PROTOBUF_C_MESSAGE_INIT(&link__##upper##__descriptor), __VA_ARGS__}

ADD(Hello, hello, .version_least = 1, .version_most = 2, .role = LINK__HELLO__ROLE__BACK,
    .name = TEXT("back1"), .software = TEXT("mailbox-backend 0.1.0"), .n_bodies = 3,
    .bodies = (uint32_t[]){2, 3, 18}, .n_features = 1, .features = (char *[]){TEXT("feature")},
    .n_services = 1, .services = services);
ADD(Open, open, .service = TEXT("imap4be"), .mechanism = TEXT("PLAIN"),
    .initial_response = BYTES("\0alice\0secret"), .has_initial_response = true, .tag = TEXT("a1"),
    .client = &client, .n_id = 1, .id = pairs, .utf8 = true, .language = TEXT("de"), .trace = 77,
    .hops = 1);
ADD(Challenge, challenge, .data = BYTES("challenge"));
ADD(Response, response, .data = BYTES("response"), .cancelled = true);
ADD(Opened, opened, .user = TEXT("alice@example.test"));
ADD(Refused, refused, .code = LINK__REFUSED__CODE__LOGIN_DELAY, .text = TEXT("slowly"),
    .retry_after = 300);
ADD(Redirect, redirect, .backend = TEXT("back2"), .epoch = 9);
ADD(Window, window, .credit = 131072);
ADD(Close, close, .reason = LINK__CLOSE__REASON__DISABLED, .text = TEXT("switched off"));
ADD(Locate, locate, .request = 5, .name = TEXT("alice"), .service = TEXT("pop3be"));
ADD(Location, location, .request = 5, .answer = LINK__LOCATION__ANSWER__FORWARD, .epoch = 10,
    .account = BYTES("0123456789abcdef"), .backend = TEXT("back3"));
ADD(Resolve, resolve, .request = 6, .address = TEXT("alice@example.test"));
ADD(Resolved, resolved, .request = 6, .answer = LINK__LOCATION__ANSWER__CLAIM, .epoch = 11,
    .account = BYTES("fedcba9876543210"), .backend = TEXT("back1"));
ADD(Ping, ping, .id = 12345678901);
ADD(Pong, pong, .id = 12345678901);
ADD(Drain, drain, .reason = TEXT("restart"));

static void put(Link__Frame frames[SAMPLES], size_t *count, uint32_t session,
                Link__Frame__BodyCase body, void *message)
{
    Link__Frame *frame = &frames[(*count)++];

    link__frame__init(frame);
    frame->session = session;
    frame->body_case = body;
    frame->hello = message; /* the members of the union are pointers, but for data */
}

static void fill_bodies(Link__Frame frames[SAMPLES], size_t *count)
{
    put(frames, count, 0, LINK__FRAME__BODY_HELLO, &Hello_body);
    put(frames, count, 1, LINK__FRAME__BODY_OPEN, &Open_body);
    put(frames, count, 1, LINK__FRAME__BODY_CHALLENGE, &Challenge_body);
    put(frames, count, 1, LINK__FRAME__BODY_RESPONSE, &Response_body);
    put(frames, count, 300, LINK__FRAME__BODY_OPENED, &Opened_body);
    put(frames, count, 1, LINK__FRAME__BODY_REFUSED, &Refused_body);
    put(frames, count, 1, LINK__FRAME__BODY_REDIRECT, &Redirect_body);
    put(frames, count, UINT32_MAX, LINK__FRAME__BODY_WINDOW, &Window_body);
    put(frames, count, 1, LINK__FRAME__BODY_CLOSE, &Close_body);
    put(frames, count, 0, LINK__FRAME__BODY_LOCATE, &Locate_body);
    put(frames, count, 0, LINK__FRAME__BODY_LOCATION, &Location_body);
    put(frames, count, 0, LINK__FRAME__BODY_RESOLVE, &Resolve_body);
    put(frames, count, 0, LINK__FRAME__BODY_RESOLVED, &Resolved_body);
    put(frames, count, 0, LINK__FRAME__BODY_PING, &Ping_body);
    put(frames, count, 0, LINK__FRAME__BODY_PONG, &Pong_body);
    put(frames, count, 0, LINK__FRAME__BODY_DRAIN, &Drain_body);
    put(frames, count, 70000, LINK__FRAME__BODY_DATA, NULL);
    frames[*count - 1].data.data = (uint8_t *)"* OK hello\r\n";
    frames[*count - 1].data.len = 12;
    put(frames, count, 1, LINK__FRAME__BODY_OPEN, &certified_body);
    put(frames, count, 0, LINK__FRAME__BODY_HELLO, &external_body);
}

static void to_hex(const struct buf *bytes, char *hex)
{
    for (size_t i = 0; i < buf_length(bytes); i++)
        sprintf(hex + 2 * i, "%02x", buf_bytes(bytes)[i]);
}

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t length = strlen(hex) / 2;
    unsigned byte;

    for (size_t i = 0; i < length; i++) {
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return length;
}

/* The file has one line a frame, in the order of the samples; "#" begins a comment. */
static void next_line(FILE *file, char line[4096])
{
    do {
        assert_non_null(fgets(line, 4096, file));
        line[strcspn(line, "\n")] = '\0';
    } while (line[0] == '#' || line[0] == '\0');
}

static void every_kind_of_frame_is_written_as_recorded(void **state)
{
    FILE *file = fopen(GOLDEN, "r");
    Link__Frame frames[SAMPLES];
    size_t count = 0;
    char line[4096];

    (void)state;
    assert_non_null(file);
    fill_bodies(frames, &count);
    for (size_t i = 0; i < count; i++) {
        struct buf bytes = {0};
        char hex[4096] = "";

        assert_true(frame_write(&bytes, &frames[i]));
        to_hex(&bytes, hex);
        next_line(file, line);
        assert_string_equal(hex, line);
        buf_release(&bytes);
    }
    fclose(file);
}

static void every_recorded_frame_is_read_and_written_again(void **state)
{
    FILE *file = fopen(GOLDEN, "r");
    char line[4096];
    uint32_t seen = 0;

    (void)state;
    assert_non_null(file);
    for (int i = 0; i < SAMPLES - 1; i++) {
        uint8_t bytes[2048];
        struct arena arena = {0};
        struct frame_view view;
        struct buf again = {0};
        Link__Frame *frame;
        size_t length;

        next_line(file, line);
        length = from_hex(line, bytes);
        assert_int_equal(frame_read(bytes, length, &view, NULL), FRAME_WHOLE);
        assert_int_equal(view.size, length);
        assert_int_equal(frame_unpack(&view, &arena, &frame, NULL), ERR_NONE);
        assert_int_equal(frame->session, view.session);
        assert_true(frame_write(&again, frame));
        assert_int_equal(buf_length(&again), length);
        assert_memory_equal(buf_bytes(&again), bytes, length);
        seen |= 1u << view.body;
        buf_release(&again);
        arena_reset(&arena);
    }
    fclose(file);
    assert_int_equal(seen, (1u << (FRAME_BODY_LAST + 1)) - (1u << FRAME_BODY_FIRST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_frame_is_written_as_recorded),
        cmocka_unit_test(every_recorded_frame_is_read_and_written_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
