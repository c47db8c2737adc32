/*
 * What a scan has found, as it will be printed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/scan.h"

/* A path is bytes; what is no UTF-8 in it is shown as "\xHH". */
static json_t *
json_path(const char *path)
{
	size_t size = strlen(path);
	json_t *result = json_stringn(path, size);
	char *text;
	size_t used = 0;

	if (result != NULL)
		return result;
	text = malloc(4 * size + 1);
	for (size_t i = 0; text != NULL && i < size; i++) {
		if ((unsigned char)path[i] < 0x80) {
			text[used++] = path[i];
		} else {
			text[used++] = '\\';
			text[used++] = 'x';
			hex_encode(bytes_make(path + i, 1), text + used);
			used += 2;
		}
	}
	result = text != NULL ? json_stringn(text, used) : NULL;
	free(text);
	return result;
}

static json_t *
json_member(const char *member)
{
	return member[0] == '\0' ? json_null() : json_string(member);
}

enum az_status
findings_init(struct findings *findings, struct az_err *reterr)
{
	*findings = (struct findings){.files = json_array(), .unread = json_array()};
	for (size_t i = 0; i < SCAN_KINDS; i++)
		findings->kinds[i] = true;
	if (findings->files != NULL && findings->unread != NULL)
		return AZ_OK;
	findings_fini(findings);
	return az_fail(reterr, AZ_NO_MEMORY, "scan: out of memory");
}

void
findings_fini(struct findings *findings)
{
	json_decref(findings->files);
	json_decref(findings->unread);
	findings->files = findings->unread = NULL;
}

static bool
is_entry(const json_t *entry, const json_t *path, const json_t *member)
{
	return json_equal(json_object_get(entry, "path"), path) != 0 &&
	    json_equal(json_object_get(entry, "member"), member) != 0;
}

static json_t *
entry_new(const json_t *path, const json_t *member)
{
	json_t *counts = json_object();

	for (size_t i = 0; counts != NULL && i < SCAN_KINDS; i++)
		(void)json_object_set_new(
		    counts, scan_kind_name((enum scan_kind)i), json_integer(0));
	/* Whose they are is known in a house only. */
	return json_pack("{s:O, s:O, s:o, s:n, s:[]}", "path", path, "member", member, "counts",
	    counts, "people", "clients");
}

/*
 * The entry of a file's member, made if it is missing; NULL if too many are listed. A file's come close together, so the
 * last few are looked through.
 */
static json_t *
entry_of(struct findings *findings, const char *path, const char *member)
{
	json_t *json_of_path = json_path(path);
	json_t *json_of_member = json_member(member);
	size_t count = json_array_size(findings->files);
	json_t *entry = NULL;

	for (size_t i = 1; i <= 64 && i <= count && entry == NULL; i++) {
		json_t *last = json_array_get(findings->files, count - i);

		if (is_entry(last, json_of_path, json_of_member))
			entry = last;
	}
	if (entry == NULL && count < FINDINGS_MAX) {
		entry = entry_new(json_of_path, json_of_member);
		if (json_array_append_new(findings->files, entry) != 0)
			entry = NULL;
	} else if (entry == NULL) {
		findings->left_out++;
	}
	json_decref(json_of_path);
	json_decref(json_of_member);
	return entry;
}

void
findings_add(struct findings *findings, const char *path, const char *member,
    const uint64_t counts[SCAN_KINDS])
{
	json_t *entry;
	bool any = false;

	for (size_t i = 0; i < SCAN_KINDS; i++)
		any |= findings->kinds[i] && counts[i] > 0;
	if (!any)
		return;
	entry = entry_of(findings, path, member);
	for (size_t i = 0; i < SCAN_KINDS; i++) {
		const char *name = scan_kind_name((enum scan_kind)i);
		json_t *in = json_object_get(entry, "counts");

		if (!findings->kinds[i])
			continue;
		findings->totals[i] += counts[i];
		if (in != NULL)
			(void)json_object_set_new(in, name,
			    json_integer(json_integer_value(json_object_get(in, name)) +
				(json_int_t)counts[i]));
	}
}

void
findings_add_people(struct findings *findings, const char *path, const char *member,
    const uint64_t counts[SCAN_KINDS], json_int_t people, json_t *found)
{
	json_t *clients = json_array();
	json_t *entry;
	size_t i;
	json_t *share;

	findings_add(findings, path, member, counts);
	entry = entry_of(findings, path, member);
	json_array_foreach(found, i, share)(void)
	    json_array_append(clients, json_object_get(share, "client"));
	if (entry == NULL) {
		json_decref(clients);
		return;
	}
	(void)json_object_set_new(entry, "people", json_integer(people));
	(void)json_object_set_new(entry, "clients", clients);
	(void)json_object_set(entry, "found", found);
}

void
findings_add_hit(struct findings *findings, const char *path, const char *member,
    enum scan_kind kind, uint64_t at, uint32_t size)
{
	json_t *entry = findings->kinds[kind] ? entry_of(findings, path, member) : NULL;
	json_t *hits = json_object_get(entry, "hits");

	if (entry != NULL && hits == NULL) {
		hits = json_array();
		(void)json_object_set_new(entry, "hits", hits);
	}
	if (hits != NULL)
		(void)json_array_append_new(hits,
		    json_pack("{s:s, s:I, s:I}", "kind", scan_kind_name(kind), "at", (json_int_t)at,
			"size", (json_int_t)size));
}

void
findings_add_unread(
    struct findings *findings, const char *path, const char *member, enum scan_unread reason)
{
	findings->unread_count++;
	if (json_array_size(findings->unread) >= FINDINGS_MAX) {
		findings->left_out++;
		return;
	}
	(void)json_array_append_new(findings->unread,
	    json_pack("{s:o, s:o, s:s}", "path", json_path(path), "member", json_member(member),
		"reason", scan_unread_name(reason)));
}

bool
findings_any(const struct findings *findings)
{
	for (size_t i = 0; i < SCAN_KINDS; i++) {
		if (findings->totals[i] > 0)
			return true;
	}
	return false;
}

/* --- order ------------------------------------------------------------------------------------ */

static const char *
text_of(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text != NULL ? text : "";
}

static int
compare(const void *a, const void *b)
{
	const json_t *one = *(json_t *const *)a;
	const json_t *other = *(json_t *const *)b;
	int order = strcmp(text_of(one, "path"), text_of(other, "path"));

	return order != 0 ? order : strcmp(text_of(one, "member"), text_of(other, "member"));
}

static void
sort(json_t *list)
{
	size_t count = json_array_size(list);
	json_t **entries = calloc(count > 0 ? count : 1, sizeof(json_t *));

	/* Without memory the order of finding must do. */
	if (entries == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		entries[i] = json_incref(json_array_get(list, i));
	qsort(entries, count, sizeof(json_t *), compare);
	(void)json_array_clear(list);
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, entries[i]);
	free(entries);
}

void
findings_sort(struct findings *findings)
{
	sort(findings->files);
	sort(findings->unread);
}
