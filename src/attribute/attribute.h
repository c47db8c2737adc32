/*
 * The process that says when a list was copied and who most likely copied it: numbers in, numbers out.
 *
 * Promises  it holds no key, no name and no file; one question, one answer, and it ends.
 */
#ifndef AZ_ATTRIBUTE_H
#define AZ_ATTRIBUTE_H

/* Reads the question from fd, a stream socket, answers it, and returns the exit code. */
int attribute_run(int fd);

#endif
