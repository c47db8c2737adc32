/*
 * Which number formats of a workbook show dates (ECMA-376 part 1, 18.8.30; old workbooks have the same codes).
 */
#include <string.h>

#include "text/unpack_internal.h"

/* Whether a format code shows a date, and whether it shows a time (18.8.30). */
static void
read_code(const char *code, bool *ret_date, bool *ret_time)
{
	bool month = false, day = false, time = false, era = false;

	if (strcmp(code, "General") == 0)
		code = "";
	for (; *code != '\0'; code++) {
		switch (*code) {
		case '"':
			for (code++; *code != '\0' && *code != '"';)
				code++;
			break;
		case '[':
			for (; *code != '\0' && *code != ']';)
				code++;
			break;
		case '\\':
		case '_':
		case '*': code += code[1] != '\0' ? 1 : 0; break;
		case 'y':
		case 'Y':
		case 'd':
		case 'D': day = true; break;
		case 'm':
		case 'M': month = true; break;
		case 'h':
		case 'H':
		case 's':
		case 'S': time = true; break;
		case 'g':
		case 'G': era = true; break;
		case 'e':
		case 'E':
			if (code[1] != '+' && code[1] != '-')
				era = true;
			break;
		default: break;
		}
		if (*code == '\0')
			break;
	}
	*ret_date = day || (month && era);
	*ret_time = time;
}

/* Formats that every program knows by number (18.8.30), the East Asian ones too. */
static enum style
built_in(unsigned int id)
{
	if (id == 22)
		return STYLE_DATE_TIME;
	if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 ||
	    (id >= 50 && id <= 54) || id == 57 || id == 58)
		return STYLE_DATE;
	return STYLE_NUMBER;
}

enum style
formats_style(const struct formats *formats, unsigned int id)
{
	for (size_t i = 0; i < formats->count; i++) {
		if (formats->known[i].id != id)
			continue;
		if (!formats->known[i].date)
			return STYLE_NUMBER;
		return formats->known[i].time ? STYLE_DATE_TIME : STYLE_DATE;
	}
	return built_in(id);
}

void
formats_add(struct formats *formats, unsigned int id, const char *code)
{
	if (formats->count == FORMATS_MAX)
		return;
	formats->known[formats->count].id = id;
	read_code(code, &formats->known[formats->count].date, &formats->known[formats->count].time);
	formats->count++;
}
