/* The same patterns by Vectorscan: the rate of one pass over a file, and how many matches. */
#include <fcntl.h>
#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PIECE (60u * 1024u) /* as the pass of scan has */

static const char *const patterns[] = {"0[0-9]{1,4}-[0-9]{1,4}-[0-9]{4}",
    "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}", "\\b[0-9]{12}\\b", "\\b[0-9]{16}\\b"};
static const unsigned flags[] = {0, 0, 0, 0};
static const unsigned ids[] = {0, 1, 2, 3};

static int
note(unsigned id, unsigned long long from, unsigned long long to, unsigned flag, void *arg)
{
	++*(unsigned long *)arg;
	return 0;
}

int
main(int argc, char **argv)
{
	static char data[PIECE];
	unsigned long matches = 0;
	double bytes = 0;
	struct timespec begin, end;
	hs_database_t *database = NULL;
	hs_scratch_t *scratch = NULL;
	hs_stream_t *stream = NULL;
	hs_compile_error_t *error = NULL;
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	ssize_t size;

	if (fd < 0 ||
	    hs_compile_multi(patterns, flags, ids, 4, HS_MODE_STREAM, NULL, &database, &error) !=
		HS_SUCCESS ||
	    hs_alloc_scratch(database, &scratch) != HS_SUCCESS ||
	    hs_open_stream(database, 0, &stream) != HS_SUCCESS)
		return 1;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	while ((size = read(fd, data, sizeof(data))) > 0) {
		bytes += (double)size;
		if (hs_scan_stream(stream, data, (unsigned)size, 0, scratch, note, &matches) !=
		    HS_SUCCESS)
			return 1;
	}
	(void)hs_close_stream(stream, scratch, note, &matches);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	(void)printf("%.3f %lu\n",
	    bytes / 1e9 /
		((double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9),
	    matches);
	return 0;
}
