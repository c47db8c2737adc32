/*
 * The intake process: foreign bytes in, typed rows and match keys out. It has no key, opens no file, reaches no
 * network, lives for one list, and is believed in nothing.
 */
#ifndef AZ_INTAKE_H
#define AZ_INTAKE_H

/*
 * Reads the list from list_fd to its end and tells the keeper over fd (proto/intake.h). Returns the exit
 * code: 0 also for a list that cannot be taken, since the keeper was told.
 */
int intake_run(int fd, int list_fd);

#endif
