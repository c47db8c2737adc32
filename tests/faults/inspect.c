/*
 * What lies in the parts of a house at rest, counted apart: "vault 1 catalogue 1 ring 1". For the tests: after any
 * fault the three must be what the ledger says.
 *
 *	faults-inspect HOUSE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "cli/host.h"
#include "cli/house.h"
#include "crypto/ring.h"
#include "store/store.h"

static size_t in_vault, in_catalogue, in_ring;

static void
count_vault(void *arg, uint64_t consignment)
{
	(void)arg;
	(void)consignment;
	in_vault++;
}

static void
count_catalogue(void *arg, uint64_t consignment, bool loaded)
{
	(void)arg;
	(void)consignment;
	in_catalogue += loaded ? 1 : 1000;
}

static void
count_ring(void *arg, uint32_t client, uint64_t consignment)
{
	(void)arg;
	(void)client;
	(void)consignment;
	in_ring++;
}

static void
must(enum az_status status, const struct az_err *err)
{
	if (status == AZ_OK)
		return;
	(void)fprintf(stderr, "faults-inspect: %s\n", err->text);
	exit(1);
}

int
main(int argc, char **argv)
{
	struct house_folder folder = {.dirfd = -1};
	struct catalogue *catalogue = NULL;
	struct store_reader *reader = NULL;
	struct store *store = NULL;
	struct ring *ring = NULL;
	struct secret *root = NULL;
	struct host_secret host = {0};
	struct buffer slot;
	struct az_err err = {0};
	int vault = -1;
	int keeper = -1;
	int entries = -1;
	int secret = -1;

	if (argc != 2)
		return 2;
	buffer_init(&slot, 4096, true);
	must(house_folder_open(argv[1], &folder, &err), &err);
	must(dir_open(folder.dirfd, "vault", false, 0, &vault, &err), &err);
	must(dir_open(folder.dirfd, "keeper", false, 0, &keeper, &err), &err);
	must(dir_open(keeper, "catalogue", false, 0, &entries, &err), &err);
	must(dir_open(folder.dirfd, "secret", false, 0, &secret, &err), &err);
	must(store_open(vault, folder.file.house, &store, &err), &err);
	must(store_reader_new(store, &reader, &err), &err);
	must(store_reader_renew(reader, &err), &err);
	must(store_list(reader, count_vault, NULL, &err), &err);
	must(catalogue_open(entries, folder.file.house, false, &catalogue, &err), &err);
	must(catalogue_consignments(catalogue, count_catalogue, NULL, &err), &err);
	must(file_read_whole(secret, "root", &slot, &err), &err);
	must(slot_open(buffer_peek(&slot), folder.file.house, &root, &err), &err);
	must(host_secret_read(secret, folder.file.house, &host, &err), &err);
	must(ring_open(keeper, folder.file.house, root, host.ring, false, &ring, &err), &err);
	ring_each(ring, count_ring, NULL);
	(void)printf("vault %zu catalogue %zu ring %zu\n", in_vault, in_catalogue, in_ring);
	store_reader_free(&reader);
	store_close(&store);
	catalogue_close(&catalogue);
	ring_free(&ring);
	secret_free(&root);
	host_secret_fini(&host);
	buffer_fini(&slot);
	return 0;
}
