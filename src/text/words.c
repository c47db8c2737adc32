/*
 * What columns are called, by city offices, companies and their programs.
 *
 * Names are compared as fold_name leaves them. What stands in brackets behind a name ("氏名（必須）") and a number behind it
 * ("電話番号１") are looked at only when the whole is unknown. A column about somebody else, a guardian or an employer,
 * must never pass for the person's own: it would be found by another's telephone.
 */
#include <assert.h>
#include <string.h>

#include "text/text_internal.h"

#define WORDS_MAX 1024u
#define TEXT_MAX  (32u * 1024u)

struct entry {
	const char *names; /* separated by blanks */
	enum word_kind kind;
	uint8_t field;
	uint8_t order;
};

static const struct entry entries[] = {
    {"number 番号 顧客番号 顧客no 顧客id 顧客コード 会員番号 会員no 会員id 会員コード お客様番号 "
     "お客様id お客様コード お客様no "
     "管理番号 管理no 整理番号 整理no 宛名番号 住民番号 受診番号 受診券番号 被保険者番号 契約番号 "
     "契約者番号 申込番号 "
     "利用者番号 登録番号 個人id 個人コード 識別番号 識別コード 対象者番号 患者番号 患者id "
     "社員番号 customerid customernumber "
     "customerno customercode clientid memberid memberno membernumber personid recid recordid "
     "recordnumber userid "
     "accountid patientid",
	WORD_FIELD, FIELD_NUMBER, 1},
    {"no 受付番号 連番 通番 通し番号 id code コード 番 記号番号 key", WORD_FIELD, FIELD_NUMBER, 2},
    {"name 氏名 名前 お名前 姓名 御名前 御氏名 氏名漢字 漢字氏名 名前漢字 漢字名 名称 顧客名 "
     "顧客氏名 会員名 会員氏名 "
     "お客様名 お客様氏名 利用者名 利用者氏名 契約者名 契約者氏名 受診者名 受診者氏名 対象者名 "
     "対象者氏名 宛名 宛名氏名 "
     "住民氏名 患者名 患者氏名 本人氏名 被保険者氏名 被保険者名 fullname customername clientname "
     "membername personname "
     "patientname displayname",
	WORD_FIELD, FIELD_NAME, 0},
    {"surname 姓 苗字 名字 氏 姓漢字 氏漢字 漢字姓 お名前姓 氏名姓 名前姓 lastname familyname sei",
	WORD_FIELD, FIELD_SURNAME, 0},
    {"given 名 名漢字 漢字名前 お名前名 氏名名 名前名 givenname firstname forename mei", WORD_FIELD,
	FIELD_GIVEN, 0},
    {"kana フリガナ カナ カナ氏名 氏名カナ 氏名フリガナ カナ名 カナ名称 名前カナ 名前フリガナ "
     "姓名カナ 姓名フリガナ ヨミ ヨミガナ ヨミカナ "
     "読み 読みがな 読み仮名 仮名 振り仮名 振仮名 ルビ カナ氏名全角 カナ氏名半角 氏名カナ半角 "
     "氏名カナ全角 氏名半角カナ 半角カナ氏名 "
     "氏名ヨミ 氏名ヨミガナ お名前カナ お名前フリガナ お名前ヨミ 顧客名カナ 顧客カナ 会員名カナ "
     "お客様名カナ 宛名カナ 宛名カナ氏名 "
     "契約者名カナ 契約者カナ 利用者カナ 受診者カナ 受診者氏名カナ 被保険者カナ氏名 本人カナ氏名 "
     "シメイ カナシメイ シメイカナ furigana "
     "namekana kananame fullnamekana phoneticname yomi yomigana カタカナ カタカナ氏名 氏名カタカナ",
	WORD_FIELD, FIELD_KANA, 0},
    {"セイ 姓カナ カナ姓 姓フリガナ フリガナ姓 氏カナ カナ氏 姓ヨミ 姓ヨミガナ セイカナ "
     "lastnamekana surnamekana familynamekana "
     "seikana お名前カナ姓 お名前カナ姓 お名前フリガナ姓 氏名カナ姓",
	WORD_PART, FIELD_KANA, 1},
    {"メイ 名カナ 名フリガナ フリガナ名 名ヨミ 名ヨミガナ メイカナ firstnamekana givennamekana "
     "meikana お名前カナ名 "
     "お名前フリガナ名 氏名カナ名",
	WORD_PART, FIELD_KANA, 2},
    {"birth 生年月日 誕生日 生年月日西暦 西暦生年月日 生年月日和暦 和暦生年月日 生年月日元号 "
     "お誕生日 バースデー birthday "
     "birthdate dateofbirth dob born",
	WORD_FIELD, FIELD_BIRTH, 0},
    {"sex 性別 性 男女 性別コード 性別区分 gender", WORD_FIELD, FIELD_SEX, 0},
    {"postcode 郵便番号 郵便 〒 郵便no 住所郵便番号 自宅郵便番号 現住所郵便番号 zip zipcode "
     "postalcode postal postcd zipcd",
	WORD_FIELD, FIELD_POSTCODE, 0},
    {"address 住所 ご住所 御住所 現住所 自宅住所 住所全体 住所漢字 漢字住所 居住地 所在地 "
     "住民票住所 送付先住所 住所全文 "
     "fulladdress homeaddress streetaddress postaladdress",
	WORD_FIELD, FIELD_ADDRESS, 0},
    {"都道府県 都道府県名 県名 県 住所都道府県 住所県 自宅住所都道府県 現住所都道府県 prefecture "
     "pref state stateprovince "
     "province",
	WORD_PART, FIELD_ADDRESS, 1},
    {"市区町村 市区町村名 市町村 市町村名 市区郡町村 住所市区町村 市区 市郡区 郡市区 市 "
     "自宅住所市区町村 現住所市区町村 city "
     "citytown municipality suburb town",
	WORD_PART, FIELD_ADDRESS, 2},
    {"町域 町域名 町名 町丁目 大字 字 町字 住所町域 町名番地 住所1 address1 addressline1 addr1 "
     "street",
	WORD_PART, FIELD_ADDRESS, 3},
    {"番地 丁目番地 番地等 以降の住所 番地以下 住所番地 丁目 番地号 丁番地 住所2 address2 "
     "addressline2 addr2",
	WORD_PART, FIELD_ADDRESS, 4},
    {"建物 建物名 建物名等 マンション名 マンション アパート名 方書 方書き アパートマンション名 "
     "ビル名 住所方書 住所建物名 建物名部屋番号 住所3 "
     "address3 addressline3 addr3 building",
	WORD_PART, FIELD_ADDRESS, 5},
    {"部屋番号 号室 室番号 住所4 address4 addr4 room roomnumber", WORD_PART, FIELD_ADDRESS, 6},
    {"phone 電話番号 電話 電話no tel telno tel番号 電話番号自宅 自宅電話番号 自宅電話 自宅tel "
     "固定電話 固定電話番号 連絡先 "
     "連絡先電話番号 連絡先電話 連絡先tel 連絡先自宅 日中連絡先 日中の連絡先 お電話番号 ご連絡先 "
     "デンワ デンワバンゴウ 電話自宅 電話固定 "
     "phonenumber phoneno telephone telephonenumber homephone landline",
	WORD_FIELD, FIELD_PHONE, 0},
    {"mobile 携帯 携帯電話 携帯電話番号 携帯番号 携帯tel 電話番号携帯 電話携帯 連絡先携帯 "
     "連絡先携帯電話 携帯no ケータイ ケイタイ スマホ "
     "mobilephone mobilenumber cell cellphone cellphonenumber mobiletel 電話2 電話番号2 tel2 "
     "phone2 連絡先2",
	WORD_FIELD, FIELD_MOBILE, 0},
    {"email mail メール メールアドレス eメール eメールアドレス 電子メール 電子メールアドレス "
     "電子メイル メルアド メアド emailaddress "
     "mailaddress pcメール pcメールアドレス 携帯メール 携帯メールアドレス",
	WORD_FIELD, FIELD_EMAIL, 0},
    {"note 備考 備考欄 メモ 摘要 特記事項 コメント 連絡事項 注記 note notes remarks remark memo "
     "comment comments",
	WORD_FIELD, FIELD_NOTE, 0},
};

/* Words that say the column is about somebody else, as they fold. */
static const char somebody[] = "保護者 世帯主 配偶者 緊急 代理 勤務 会社 法人 事業所 団体 担当 "
			       "請求先 請求者 振込 口座 名義 紹介 親権者 後見 続柄 父 母 家族 "
			       "送付先 届出人 医療機関 病院 学校 guardian emergency company "
			       "employer spouse parent office work fax ファックス ファクス";

static const struct {
	enum field_class class;
	const char *words;
} classes[] = {
    {CLASS_MY_NUMBER, "マイナンバー 個人番号 mynumber"},
    {CLASS_CARD, "カード番号 クレジット cardnumber creditcard cvv cvc セキュリティコード 有効期限"},
    {CLASS_FINANCIAL,
	"口座 銀行 支店 預金 年収 所得 給与 残高 金額 請求額 未納 滞納 納付 税額 bank account iban "
	"income "
	"salary balance amount"},
    {CLASS_SENSITIVE,
	"病歴 既往 病名 診断 疾病 疾患 健診 検診 検査 障害 障ガイ 人種 信条 宗教 犯罪 犯歴 本籍 "
	"国籍 "
	"血液 妊娠 介護 ワクチン 接種 disease diagnosis disability religion race vaccin blood"},
};

/* The next word of a list, folded; the tables are written as people write. */
static bool
next_word(const char **list, char word[FOLD_MAX])
{
	size_t length = strcspn(*list, " ");

	if (length == 0 || !fold_name(bytes_make(*list, length), word))
		return false;
	*list += length + ((*list)[length] == ' ' ? 1 : 0);
	return true;
}

/* Whether one of the words in list, which are written as they fold, is a part of folded. */
static bool
has_word(const char *list, const char *folded)
{
	while (*list != '\0') {
		size_t length = strcspn(list, " ");
		char word[FOLD_MAX];

		memcpy(word, list, length);
		word[length] = '\0';
		if (strstr(folded, word) != NULL)
			return true;
		list += length + (list[length] == ' ' ? 1 : 0);
	}
	return false;
}

static enum field_class
find_class(const char *folded)
{
	for (size_t i = 0; i < AZ_ARRAY_SIZE(classes); i++) {
		if (has_word(classes[i].words, folded))
			return classes[i].class;
	}
	return CLASS_NONE;
}

/* The words of all entries, folded once. */
static struct {
	char text[TEXT_MAX];
	struct folded_word {
		const char *text;
		const struct entry *entry;
	} words[WORDS_MAX];
	size_t count;
} dictionary;

static void
fill_dictionary(void)
{
	size_t used = 0;

	for (size_t i = 0; i < AZ_ARRAY_SIZE(entries); i++) {
		const char *list = entries[i].names;
		char word[FOLD_MAX];

		while (next_word(&list, word)) {
			size_t size = strlen(word) + 1;

			/* The tables above are ours: a test sees that all of them fits. */
			assert(dictionary.count < WORDS_MAX && used + size <= TEXT_MAX);
			memcpy(dictionary.text + used, word, size);
			dictionary.words[dictionary.count++] = (struct folded_word){
			    .text = dictionary.text + used, .entry = &entries[i]};
			used += size;
		}
	}
}

/* The entry of exactly this name. */
static struct word
find_exact(const char *folded)
{
	if (dictionary.count == 0)
		fill_dictionary();
	for (size_t i = 0; i < dictionary.count && folded[0] != '\0'; i++) {
		const struct entry *entry = dictionary.words[i].entry;

		if (strcmp(dictionary.words[i].text, folded) == 0)
			return (struct word){
			    .kind = entry->kind, .field = entry->field, .order = entry->order};
	}
	return (struct word){0};
}

/* What stands before a bracket, of either width; the whole if there is none. */
static struct bytes
before_bracket(struct bytes name)
{
	for (size_t at = 0; at < name.size;) {
		size_t start = at;
		uint32_t point = text_point(name, &at);

		if (start > 0 &&
		    (point == '(' || point == 0xff08 || point == '[' || point == 0x3010 ||
			point == '<' || point == 0x3014 || point == '\n'))
			return bytes_make(name.data, start);
	}
	return name;
}

/* A number behind a name says which of several: the first is the thing itself. */
static struct word
find_numbered(char *folded)
{
	size_t size = strlen(folded);

	if (size < 2 || folded[size - 1] != '1' ||
	    (folded[size - 2] >= '0' && folded[size - 2] <= '9'))
		return (struct word){0};
	folded[size - 1] = '\0';
	return find_exact(folded);
}

struct word
word_find(struct bytes name)
{
	char folded[FOLD_MAX];
	struct word word = {0};
	enum field_class class;

	name = text_trim(name);
	if (!fold_name(name, folded))
		return word;
	word = find_exact(folded);
	class = find_class(folded);
	if (word.kind == WORD_NONE && has_word(somebody, folded))
		word.kind = WORD_SOMEBODY;
	/* A sealed number or a card is no field of ours, whatever else its name says. */
	if (word.kind == WORD_NONE && class == CLASS_NONE) {
		struct bytes outside = before_bracket(name);

		if (outside.size < name.size && fold_name(outside, folded))
			word = find_exact(folded);
		if (word.kind == WORD_NONE)
			word = find_numbered(folded);
	}
	word.class = (uint8_t) class;
	return word;
}
