/*
 * What the files of the model share.
 */
#ifndef AZ_TRACE_MODEL_INTERNAL_H
#define AZ_TRACE_MODEL_INTERNAL_H

#include "trace/model.h"

/*
 * How careful the broker's hands were, which nobody knows: whether spelling was kept. Each is a way in which
 * notation and conflicts speak for or against a row coming from here.
 */
#define QUALITIES 2u

enum model_ref {
	REF_WINDOW,
	REF_CARRIER,
	REF_COPY,
	REF_HAND /* several exports of one person */
};

struct hypothesis {
	enum model_owner owner;
	uint32_t index;
	enum model_ref ref;
	uint32_t at;   /* of the window, carrier or copy; of a hand how many exports */
	double occam;  /* logarithm of its share of its owner's prior */
	double canary; /* logarithm of what invented people say */
	uint32_t size;
	size_t first, count; /* of its signals */
};

/* How likely a hypothesis makes a row: only where it does at all. */
struct signal {
	uint32_t row; /* of the found ones in the sample */
	double value;
};

/* A row in the sample that was found. */
struct found_row {
	uint32_t row;      /* of the input */
	double background; /* how likely it is by chance */
	double
	    ratio[QUALITIES]; /* how much likelier its spelling is from here than from elsewhere */
};

struct model {
	const struct model_input *input;
	struct found_row *found;
	size_t found_count;
	size_t missing_count;          /* in the sample, not found, and no invented person */
	struct hypothesis *hypotheses; /* those that explain any row */
	size_t hypothesis_count;
	struct signal *signals;
	size_t signal_count;
	uint32_t *windows_of;         /* windows by owner and index */
	uint32_t *carriers_by_person; /* how many, by person */
	uint32_t *windows_by_person;  /* how many beside the whole history */
	uint32_t *lists_by_person;    /* how many exports of lists */
	uint32_t *windows_by_pool;    /* how many */
	uint32_t *copies_by_client;   /* how many */
	uint32_t store_windows, store_copies;
	double priors;              /* of all persons */
	uint32_t *carriers_of_list; /* carriers that exported a list, by list */
	size_t list_carrier_count;
	uint32_t *canary_carriers; /* whose invented people are in the list */
	size_t canary_count;
};

/* signals.c */
AZ_CHECKED enum az_status model_prepare(
    const struct model_input *input, struct model *model, struct az_err *reterr);
void model_fini(struct model *model);
/* How well somebody's access to a version fits a row's candidate: 1 as it was shown, less otherwise. */
double access_fit(const struct model_input *input, const struct model_row *row,
    const struct model_candidate *candidate, const struct model_access *access);
bool candidate_is_current(
    const struct model_input *input, const struct model_candidate *candidate, int64_t time_us);
bool candidate_is_in_list(
    const struct model_input *input, const struct model_candidate *candidate, uint32_t list);

#define MODEL_CANARY_ELSEWHERE 1e-6 /* that an invented person is found elsewhere */

/* hand.c: what one person exported, together. One more hypothesis for each who exported two of the lists or more. */
#define MODEL_HAND_PART 0.1 /* of what is believed of such a person */
AZ_CHECKED enum az_status hands_add(struct model *model, struct az_err *reterr);

/* Whether a carrier of the window's owner is in it. */
bool window_has(const struct model_window *window, const struct model_carrier *carrier);
/* The first access of a record, or where it would be. */
size_t model_first_access(const struct model_input *input, uint32_t record);

/* takings.c: dates by what the named persons (by index) had, in the place of those by versions. */
AZ_CHECKED enum az_status model_date_takings(const struct model_input *input, const uint8_t *named,
    struct model_result *result, struct az_err *reterr);

/* How much the likelihood of rows counts, since they are not as independent as the model takes them for. */
#define MODEL_ETA 0.80
/* Part of the rows from a source that are damaged beyond recognition. */
#define MODEL_LOST 0.03

/* odds.c */
struct owner_odds {
	struct model_who who;
	double posterior, posterior_flat;
	double likelihood; /* logarithm of what the rows say of its best hypothesis */
	bool tied;         /* the rows do not tell it from the likeliest */
	size_t best;       /* its likeliest hypothesis; SIZE_MAX if none explains a row */
};
struct odds {
	struct owner_odds *owners; /* the likeliest first */
	size_t count;
	double elsewhere;
};
void odds_fini(struct odds *odds);
void odds_sort(struct odds *odds);
/* Something that none of them stands for is so much as likely as all of them; its part goes to one of them. */
void odds_give(struct odds *odds, double ratio, struct model_who who);
/* company.c: whoever sat beside the likeliest person shares their odds. */
AZ_CHECKED enum az_status odds_share_with_company(
    const struct model *model, struct odds *odds, struct az_err *reterr);
/* The sum over all persons, each held within bounds. */
double model_priors(const struct model_input *input);
double model_prior(const struct model *model, enum model_owner owner, uint32_t index, bool flat);
/* The posterior of every owner, if there is one source. */
AZ_CHECKED enum az_status odds_of_one(
    const struct model *model, struct odds *ret_odds, struct az_err *reterr);
/* The same of one of several: all that the mixture has by this owner is taken out, and everybody is tried for it. */
struct mixture;
AZ_CHECKED enum az_status odds_of_slot(const struct model *model, const struct mixture *mixture,
    struct model_who who, struct odds *ret_odds, struct az_err *reterr);

/* mixture.c: several sources */
#define MIXTURE_MAX 16u
struct mixture {
	size_t count;
	size_t hypotheses[MIXTURE_MAX];
	double shares[MIXTURE_MAX]; /* of all rows; what is left is background */
	double background;
	unsigned int quality;
	double chance; /* of background rows, those that are found */
	double value;  /* logarithm of the likelihood, less the cost of each source */
};
AZ_CHECKED enum az_status mixture_fit(
    const struct model *model, struct mixture *ret_mixture, struct az_err *reterr);
/*
 * The likelihood, and the sum of its occam, if what the mixture has by one owner is taken over by another, with as
 * many sources as that needs.
 */
AZ_CHECKED enum az_status mixture_replace(const struct model *model, const struct mixture *mixture,
    struct model_who owner, struct model_who by, double *ret_likelihood, double *ret_occam,
    struct az_err *reterr);
/*
 * Whether the sources that an owner has in the mixture are several exports together, so that as many independent leaks may be what it
 * was instead. Then *ret_ratio is how likely that is against the mixture, and *ret_first whose the largest of them would be.
 */
AZ_CHECKED enum az_status mixture_instead(const struct model *model, const struct mixture *mixture,
    struct model_who owner, double *ret_ratio, struct model_who *ret_first, struct az_err *reterr);

#endif
