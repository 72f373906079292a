/* The back end's own administration commands. Their host's context is the struct backend; on a
   stopped back end it has only the parts that the command needs (enum backend_part). */
#ifndef BACKEND_ADMIN_H
#define BACKEND_ADMIN_H

#include "mailbox-backend/backend.h"
#include "mailbox-backend/folder_walk.h"
#include "mailbox-backend/store/backup.h"
#include "proto/admin.h"

/* All of the back end's tables, with those that both programs have; ends with NULL. */
extern const struct admin_command *const backend_admin_tables[];

extern const struct admin_command backend_user_commands[];
extern const struct admin_command backend_app_password_commands[];
extern const struct admin_command backend_address_commands[];
extern const struct admin_command backend_folder_commands[];
extern const struct admin_command backend_acl_commands[];
extern const struct admin_command backend_mailbox_commands[];
extern const struct admin_command backend_recover_commands[];
extern const struct admin_command backend_restore_commands[];
extern const struct admin_command backend_database_commands[];
extern const struct admin_command backend_upgrade_commands[];
extern const struct admin_command backend_rebuild_commands[]; /* of the noun database too */
extern const struct admin_command backend_status_commands[];
extern const struct admin_command backend_backup_commands[];
extern const struct admin_command backend_migrate_commands[];

struct backend *admin_backend(const struct admin_call *call);

/* ---- what the commands share ---- */

/* user import and user add --generate, each in a file of its own. */
enum err_code admin_user_import(struct admin_call *call, struct err *err);

/* A password of 100 random bits that can be read out on the telephone. */
#define ADMIN_PASSWORD_SIZE 24
void admin_make_password(char password[ADMIN_PASSWORD_SIZE]);

/* The account of the command's first name; says which name there is not. */
enum err_code admin_find_account(struct admin_call *call, struct arena *arena,
                                 struct account *account, struct err *err);

void admin_put_services(struct admin_call *call, unsigned services);
void admin_put_guid(struct admin_call *call, const struct store_guid *guid);

/* The account's mailbox; *mailbox is NULL when nothing has come for it yet. To be unreferenced. */
enum err_code admin_open_mailbox(struct admin_call *call, const struct account *account,
                                 struct store_mailbox **mailbox, struct err *err);

/* Lets list() go through the folders of the mailbox that the command names; a mailbox for which nothing has come yet has
   none. */
enum err_code admin_walk(struct admin_call *call,
                         enum err_code (*list)(struct admin_call *call, struct folder_walk *walk,
                                               struct err *err),
                         struct err *err);

/* The folder of backups that the administrator named, which is open. */
#define ADMIN_FOLDER_SIZE 40
void admin_backup_folder(const struct admin_call *call, char folder[ADMIN_FOLDER_SIZE]);

/* The backup in it that --backup names, or the newest whole one. */
enum err_code admin_backup_choose(struct admin_call *call, const char *folder,
                                  char name[BACKUP_NAME_SIZE], struct err *err);

/* What the account's mailbox holds, and what of it that is deleted can be recovered; nothing while
   there is none. */
enum err_code admin_usage(struct admin_call *call, const struct account *account,
                          struct store_usage *usage, struct store_usage *recoverable,
                          struct err *err);

#endif
