/*
 * Replays a corpus where there is no libFuzzer: every file of the folders named by the arguments, once. An
 * empty or missing folder is a failure, since it would test nothing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);
		struct dirent *entry;
		size_t count = 0;

		while (folder != NULL && (entry = readdir(folder)) != NULL) {
			struct buffer bytes;

			if (entry->d_name[0] == '.')
				continue;
			buffer_init(&bytes, 4u * 1024u * 1024u, false);
			if (file_read_whole(dirfd(folder), entry->d_name, &bytes, NULL) != AZ_OK) {
				(void)fprintf(stderr, "%s cannot be read\n", entry->d_name);
				return 1;
			}
			(void)LLVMFuzzerTestOneInput(bytes.data, bytes.size);
			buffer_fini(&bytes);
			count++;
		}
		if (folder != NULL)
			(void)closedir(folder);
		if (count == 0) {
			(void)fprintf(stderr, "%s has nothing to replay\n", argv[i]);
			return 1;
		}
	}
	return argc > 1 ? 0 : 1;
}
