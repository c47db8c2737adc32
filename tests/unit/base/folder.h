/*
 * A folder of its own for each test program, removed at its end.
 */
#ifndef AZ_TESTS_FOLDER_H
#define AZ_TESTS_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct folder {
	char path[64];
	int fd;
};

static inline int
folder_make(struct folder *folder)
{
	(void)snprintf(folder->path, sizeof(folder->path), "/tmp/azukari-test-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder->fd < 0 ? -1 : 0;
}

static inline int
folder_remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
	(void)info;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline int
folder_remove(struct folder *folder)
{
	(void)close(folder->fd);
	return nftw(folder->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
