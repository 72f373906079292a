/* Log-in names and mail addresses in the one form in which the directory keeps and compares them:
   "local@domain", lower case, NFC, domains as U-labels. Pure functions. */
#ifndef DIRECTORY_NAME_H
#define DIRECTORY_NAME_H

#include "common/err.h"
#include "common/str.h"

#define NAME_LOCAL_MAX 254  /* bytes; RFC 5321's 64 are exceeded by real addresses with detail */
#define NAME_DOMAIN_MAX 253 /* bytes */
#define NAME_SIZE (NAME_LOCAL_MAX + 1 + NAME_DOMAIN_MAX + 1)

/* A log-in name as a client gives it: user, user@domain or DOMAIN\user, any case. DOMAIN is a DNS name
   or the first label of the default domain (as NetBIOS names usually are). default_domain may be ""
   or NULL: names without a domain are then invalid. ERR_INVALID, ERR_LIMIT. */
enum err_code name_login(struct str given, const char *default_domain, char name[NAME_SIZE],
                         struct err *err);

/* A mail address without angle brackets; a quoted local part is unquoted. Without a domain (postmaster,
   RFC 5321 section 4.5.1) it is of the default domain. */
enum err_code name_address(struct str given, const char *default_domain, char name[NAME_SIZE],
                           struct err *err);

/* A domain by itself. */
enum err_code name_domain(struct str given, char domain[NAME_DOMAIN_MAX + 1], struct err *err);

/* Splits a mail address as given at the first delimiter character in its local part: base is the
   address without the detail, detail what was behind it, in the case it was given. False, with
   nothing written, when there is no delimiter or nothing before it. */
bool name_split_detail(struct str given, const char *delimiters, char base[NAME_SIZE],
                       char detail[NAME_LOCAL_MAX + 1]);

#endif
