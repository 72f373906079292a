#include "mailbox-backend/mailbox/keyword.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

typedef char keyword_name[STORE_KEYWORD_NAME_MAX + 1];

enum err_code keyword_list_read(struct keyword_list *list, struct store_read *read, uint32_t folder,
                                bool *grown, struct err *err)
{
    keyword_name *names = mem_array(STORE_KEYWORDS_MAX, sizeof(*names));
    unsigned count = 0;

    if (store_keyword_list(read, folder, names, &count, err) != ERR_NONE) {
        free(names);
        return err->code;
    }
    if (grown != NULL)
        *grown = count > list->count;
    keyword_list_release(list);
    list->count = count;
    list->names = count == 0 ? NULL : mem_grow(names, count, sizeof(*names));
    if (count == 0)
        free(names);
    return ERR_NONE;
}

void keyword_list_release(struct keyword_list *list)
{
    free(list->names);
    *list = (struct keyword_list){0};
}

int keyword_find(const struct keyword_list *list, struct str name)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (str_is_nocase(name, list->names[i]))
            return (int)i;
    }
    return -1;
}

bool keyword_is_set(const struct store_flags *flags, unsigned bit)
{
    return (flags->keywords[bit / 64] >> (bit % 64) & 1) != 0;
}

bool keyword_list_is_behind(const struct keyword_list *list, const struct store_flags *flags)
{
    uint64_t low = flags->keywords[0];
    uint64_t high = flags->keywords[1];

    if (list->count >= 64)
        return list->count < STORE_KEYWORDS_MAX && high >> (list->count - 64) != 0;
    return high != 0 || low >> list->count != 0;
}
