/* Links over TCP: who is let in is said by the certificates. */
#include "tests/unit/proto/rig.h"

#include "tests/unit/common/engines.h"

static struct rig rig;
static char folder[64];

/* NAME: subject and alternative name of a certificate that the deployment's CA has signed. */
static const char script[] =
    "set -e; cd '%s'; exec >log 2>&1; umask 077\n"
    "ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256'\n"
    "for ca in ca other; do\n"
    "  openssl req -x509 $ec -nodes -keyout $ca.key -out $ca.pem -days 30 -subj /CN=$ca\n"
    "done\n"
    "issue() {\n"
    "  openssl req -new $ec -nodes -keyout $1.key -out $1.csr -subj \"$3\"\n"
    "  printf 'subjectAltName=DNS:%%s\\n' \"$4\" >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 30"
    " -extfile $1.ext -out $1.pem\n"
    "}\n"
    "issue back ca /OU=back/CN=back1 back1\n"
    "issue back-as-front ca /OU=front/CN=back1 back1\n"
    "issue back-other-cn ca /OU=back/CN=back2 back1\n"
    "issue front ca /OU=front/CN=front1 front1\n"
    "issue front-as-back ca /OU=back/CN=front1 front1\n"
    "issue front-other-cn ca /OU=front/CN=front2 front1\n"
    "issue front-other-dns ca /OU=front/CN=front1 front2\n"
    "issue stranger other /OU=front/CN=front1 front1\n";

static int make_certificates(void **state)
{
    char command[sizeof(script) + sizeof(folder)];

    (void)state;
    strcpy(folder, "/tmp/unit-link-tls-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(command, sizeof(command), script, folder);
    return system(command);
}

static int remove_certificates(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static int begin(void **state)
{
    (void)state;
    rig_begin(&rig);
    rig_listen_tcp(&rig);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rig_end(&rig);
    tls_context_unref(&rig.front_tls);
    tls_context_unref(&rig.back_tls);
    return 0;
}

static struct tls_context *context(enum tls_role role, const char *name)
{
    char certificate[128], key[128], ca[128];
    struct tls_settings settings = {.engine = engine,
                                    .role = role,
                                    .certificate_file = certificate,
                                    .key_file = key,
                                    .ca_file = ca,
                                    .peer = TLS_PEER_REQUIRED};
    struct tls_context *made;
    struct err err = {0};

    snprintf(certificate, sizeof(certificate), "%s/%s.pem", folder, name);
    snprintf(key, sizeof(key), "%s/%s.key", folder, name);
    snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
    if (tls_context_create(&made, &settings, &err) != ERR_NONE)
        fail_msg("%s", err.text);
    return made;
}

static void connect_with(const char *front, const char *back)
{
    rig.front_tls = context(TLS_CLIENT, front);
    rig.back_tls = context(TLS_SERVER, back);
    rig_client(&rig, "back1");
}

static void good_certificates_on_both_sides_make_a_link(void **state)
{
    (void)state;
    connect_with("front", "back");
    rig_until(&rig, &rig.front.ups, 1);
    rig_until(&rig, &rig.back.ups, 1);
    assert_false(link_is_local(rig.back.link));
    rig_session(&rig);
    assert_int_equal(link_session_data(rig.front.session, "secret", 6), 6);
    rig_until_data(&rig, &rig.back, 6);
}

static void assert_back_refuses(const char *front, const char *words)
{
    connect_with(front, "back");
    rig_until(&rig, &rig.back.downs, 1);
    if (strstr(rig.back.down_text, words) == NULL)
        fail_msg("the back end said: %s", rig.back.down_text);
    assert_int_equal(rig.back.ups, 0);
}

static void assert_front_refuses(const char *back, const char *words)
{
    connect_with("front", back);
    rig_until(&rig, &rig.front.downs, 1);
    if (strstr(rig.front.down_text, words) == NULL)
        fail_msg("the front said: %s", rig.front.down_text);
    assert_int_equal(rig.front.ups, 0);
}

static void a_back_ends_certificate_is_no_fronts(void **state)
{
    (void)state;
    assert_back_refuses("front-as-back", "not for a front end");
}

static void a_front_must_have_its_name_as_cn(void **state)
{
    (void)state;
    assert_back_refuses("front-other-cn", "not for the name front1");
}

static void a_front_must_have_its_name_as_dns_name(void **state)
{
    (void)state;
    assert_back_refuses("front-other-dns", "not for the name front1");
}

static void a_certificate_of_another_ca_is_refused(void **state)
{
    (void)state;
    assert_back_refuses("stranger", "certificate");
}

static void a_fronts_certificate_is_no_back_ends(void **state)
{
    (void)state;
    assert_front_refuses("back-as-front", "not for a back end");
}

static void a_back_end_must_have_its_name_as_cn(void **state)
{
    (void)state;
    assert_front_refuses("back-other-cn", "not for the name back1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(good_certificates_on_both_sides_make_a_link),
        TEST(a_back_ends_certificate_is_no_fronts),
        TEST(a_front_must_have_its_name_as_cn),
        TEST(a_front_must_have_its_name_as_dns_name),
        TEST(a_certificate_of_another_ca_is_refused),
        TEST(a_fronts_certificate_is_no_back_ends),
        TEST(a_back_end_must_have_its_name_as_cn),
    };

    RUN_WITH_EACH_ENGINE(tests, make_certificates, remove_certificates);
}
