/* Folder rows: name, parent, use. */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include "mailbox-backend/store/index.h"
#include "mailbox-backend/store/record.h"

/* The record's name lies in the map: good until the next write. */
enum err_code folder_record_get(const struct tx *tx, uint32_t folder, struct folder_record *record,
                                struct err *err);
enum err_code folder_record_put(const struct tx *tx, uint32_t folder,
                                const struct folder_record *record, struct err *err);

/* The id of a name below parent. */
enum err_code folder_name_get(const struct tx *tx, uint32_t parent, struct str name,
                              uint32_t *folder, struct err *err);

/* The first child whose name is not below from; name is copied out. */
enum err_code folder_child(const struct tx *tx, uint32_t parent, struct str from,
                           char name[STORE_NAME_MAX + 1], uint32_t *folder, struct err *err);
bool folder_has_children(const struct tx *tx, uint32_t folder);

#endif
