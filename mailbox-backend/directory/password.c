#include "mailbox-backend/directory/password.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/random.h"

#define DIGEST_LENGTH 43u /* characters behind a yescrypt hash's salt */

/* Runs crypt() with memory of its own, wiped afterwards. False when it refused. */
static bool run_crypt(const char *password, const char *setting, char hash[PASSWORD_HASH_MAX])
{
    struct crypt_data *data = mem_alloc(sizeof(*data));
    const char *result = crypt_rn(password, setting, data, (int)sizeof(*data));
    bool good = result != NULL && result[0] != '*' && strlen(result) < PASSWORD_HASH_MAX;

    if (good)
        strcpy(hash, result);
    mem_wipe(data, sizeof(*data));
    free(data);
    return good;
}

enum err_code password_hash(const char *password, char hash[PASSWORD_HASH_MAX], struct err *err)
{
    char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
    bool good = setting != NULL && run_crypt(password, setting, hash);

    free(setting);
    if (!good)
        return err_set(err, ERR_INTERNAL, "crypt(3) cannot make a yescrypt hash");
    return ERR_NONE;
}

/* 256 random bits, which no password gives. */
static void write_digest(char text[DIGEST_LENGTH + 1])
{
    static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint8_t bytes[DIGEST_LENGTH];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < DIGEST_LENGTH; i++)
        text[i] = digits[bytes[i] % 64];
    text[DIGEST_LENGTH - 1] = digits[bytes[DIGEST_LENGTH - 1] % 16]; /* the last four bits */
    text[DIGEST_LENGTH] = '\0';
}

enum err_code password_decoy(char hash[PASSWORD_HASH_MAX], struct err *err)
{
    char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
    char digest[DIGEST_LENGTH + 1];
    int length = -1;

    write_digest(digest);
    if (setting != NULL)
        length = snprintf(hash, PASSWORD_HASH_MAX, "%s$%s", setting, digest);
    free(setting);
    if (length < 0 || length >= PASSWORD_HASH_MAX)
        return err_set(err, ERR_INTERNAL, "crypt(3) cannot make a yescrypt salt");
    return ERR_NONE;
}

static bool same_in_constant_time(const char *a, const char *b)
{
    size_t length = strlen(a);
    unsigned char difference = 0;

    if (strlen(b) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

bool password_fits(const char *hash, const char *password)
{
    char made[PASSWORD_HASH_MAX];
    bool fits = run_crypt(password, hash, made) && same_in_constant_time(made, hash);

    mem_wipe(made, sizeof(made));
    return fits;
}

/* Takes "{SCHEME}" off the front. */
static struct str take_scheme(struct str *field)
{
    const char *end;
    struct str scheme = {NULL, 0};

    if (field->length == 0 || field->data[0] != '{')
        return scheme;
    end = memchr(field->data, '}', field->length);
    if (end == NULL)
        return scheme;
    scheme = str_n(field->data + 1, (size_t)(end - field->data) - 1);
    *field = str_n(end + 1, field->length - scheme.length - 2);
    return scheme;
}

static bool is_in(struct str scheme, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (str_is_nocase(scheme, *list))
            return true;
    }
    return false;
}

/* A hash and not only its salt: behind the last "$" stand at least the 22 characters of MD5; the
   traditional kind has 13 in all. */
static bool is_whole_hash(struct str text)
{
    const char *dollar = memrchr(text.data, '$', text.length);
    char copy[PASSWORD_HASH_MAX];
    int verdict;

    if (text.length >= sizeof(copy) || memchr(text.data, '\0', text.length) != NULL)
        return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    verdict = crypt_checksalt(copy);
    if (verdict == CRYPT_SALT_INVALID || verdict == CRYPT_SALT_METHOD_DISABLED)
        return false;
    return dollar == NULL ? text.length >= 13 : text.data + text.length - dollar > 22;
}

enum err_code password_read_field(struct str field, enum password_kind *kind, struct str *rest,
                                  struct err *err)
{
    static const char *const crypt_schemes[] = {"CRYPT",        "SHA512-CRYPT", "SHA256-CRYPT",
                                                "BLF-CRYPT",    "MD5-CRYPT",    "DES-CRYPT",
                                                "SCRYPT-CRYPT", "YESCRYPT",     NULL};
    static const char *const plain_schemes[] = {"PLAIN", "CLEAR", "CLEARTEXT", NULL};
    struct str scheme = take_scheme(&field);

    *rest = field;
    *kind = PASSWORD_NONE;
    if (scheme.length > 0 && is_in(scheme, plain_schemes)) {
        *kind = field.length > 0 ? PASSWORD_PLAIN : PASSWORD_NONE;
        return ERR_NONE;
    }
    if (scheme.length > 0 && !is_in(scheme, crypt_schemes))
        return err_set(err, ERR_INVALID, "password scheme {%.*s} is not one of crypt(3)'s",
                       (int)scheme.length, scheme.data);
    if (field.length == 0 || field.data[0] == '!' || field.data[0] == '*' || str_is(field, "x"))
        return ERR_NONE;
    if (!is_whole_hash(field))
        return err_set(err, ERR_INVALID, "the password field is no hash of crypt(3)");
    *kind = PASSWORD_HASH;
    return ERR_NONE;
}
