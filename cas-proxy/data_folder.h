/* The front's data folder: its lock, the state of the services, sockets. */
#ifndef FRONT_DATA_FOLDER_H
#define FRONT_DATA_FOLDER_H

#include "cas-proxy/settings.h"
#include "common/service.h"

/* What the daemon holds while it runs, and a command while no daemon does. */
struct data_folder {
    int lock; /* -1: not held */
    struct services *services;
};

/* Makes the folder where it is missing, takes the lock (ERR_EXISTS names the pid of who has it) and
   reads the services' state. Nothing is held after a failure. */
enum err_code data_folder_open(struct data_folder *folder, const struct front_settings *settings,
                               struct err *err);
void data_folder_close(struct data_folder *folder);

/* Gives the folder and what is in it to the user and group that the settings say to run as. Nothing
   happens without them, or when we are not root. */
enum err_code data_folder_give(const struct front_settings *settings, struct err *err);

#endif
