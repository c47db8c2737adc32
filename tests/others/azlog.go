// azlog checks what an Azukari house published with nothing of Azukari's: the packages note and tlog of
// golang.org/x/mod/sumdb, which check Go's own checksum database. What they do not have (the body of a checkpoint, the
// names of tiles and bundles, cosignatures, the file of an offline proof) is read here, from the C2SP specifications.
//
//	azlog checkpoint VKEY FILE [WITNESS]
//	azlog log VKEY DIR [NEWEST [WITNESS]]
//	azlog consistency VKEY OLD NEW DIR
//	azlog inclusion VKEY FILE
//	azlog batch < CASES
//
// VKEY and WITNESS are files. Exit 0: good; 1: not.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height      = 8
	width       = 1 << height
	cosignature = 4
)

// A files gives the whole of a file by its name in tlog-tiles.
type files interface {
	read(name string) ([]byte, error)
}

type folder string

func (dir folder) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(dir), name))
}

// --- keys -----------------------------------------------------------------------------------------

// A witnessKey is a note.Verifier of cosignatures, which x/mod does not have.
type witnessKey struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w *witnessKey) Name() string    { return w.name }
func (w *witnessKey) KeyHash() uint32 { return w.hash }
func (w *witnessKey) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(w.key, append([]byte(head), msg...), sig[8:])
}

func parseWitness(vkey string) (*witnessKey, error) {
	parts := strings.SplitN(strings.TrimSuffix(vkey, "\n"), "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("witness: not a key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignature {
		return nil, errors.New("witness: not a key of a witness")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if hex.EncodeToString(sum[:4]) != parts[1] {
		return nil, errors.New("witness: its id is not that of its name and key")
	}
	return &witnessKey{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

// --- checkpoints ------------------------------------------------------------------------------------

// openCheckpoint returns the tree that every one of the keys signed, the first being the log's own.
func openCheckpoint(msg []byte, keys ...note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	signed, err := note.Open(msg, note.VerifierList(keys...))
	if err != nil {
		return tree, err
	}
	if len(signed.Sigs) != len(keys) {
		return tree, errors.New("checkpoint: not signed by all")
	}
	// Base64 has unused bits, which x/mod does not look at: one spelling only.
	for _, sig := range signed.Sigs {
		raw, err := base64.StdEncoding.DecodeString(sig.Base64)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != sig.Base64 {
			return tree, errors.New("checkpoint: a signature in another spelling")
		}
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != keys[0].Name() {
		return tree, errors.New("checkpoint: of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tree, errors.New("checkpoint: its size is no number")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return tree, errors.New("checkpoint: its root is no hash")
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// --- the whole log ----------------------------------------------------------------------------------

// stored are the hashes that tlog numbers; a log is rebuilt into them from its entries alone.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, errors.New("beyond the end")
		}
		out[i] = s[index]
	}
	return out, nil
}

// name is that of tlog-tiles; x/mod's own has the height in it, and "data" for what is "entries" there.
func name(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func partWidth(total, n int64) int {
	if left := total - n*width; left < width {
		return int(left)
	}
	return width
}

// rebuild hashes every entry of every bundle.
func rebuild(log files, size int64) (stored, error) {
	var hashes stored
	for n := int64(0); n*width < size; n++ {
		tile := tlog.Tile{H: height, L: -1, N: n, W: partWidth(size, n)}
		bundle, err := log.read(name(tile))
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s: cut short", name(tile))
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			more, err := tlog.StoredHashes(n*width+int64(i), bundle[2:end], hashes)
			if err != nil {
				return nil, err
			}
			hashes = append(hashes, more...)
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			return nil, fmt.Errorf("%s: too long", name(tile))
		}
	}
	return hashes, nil
}

// checkTiles compares each published tile with the rebuilt hashes.
func checkTiles(log files, size int64, hashes stored) error {
	for level, count := 0, size; count > 0; level, count = level+1, count/width {
		for n := int64(0); n*width < count; n++ {
			tile := tlog.Tile{H: height, L: level, N: n, W: partWidth(count, n)}
			want, err := tlog.ReadTileData(tile, hashes)
			if err != nil {
				return err
			}
			got, err := log.read(name(tile))
			if err != nil {
				return err
			}
			if !bytes.Equal(got, want) {
				return fmt.Errorf("%s: not the hashes of the entries", name(tile))
			}
		}
	}
	return nil
}

// isAt says whether the rebuilt log had that root when it had that size.
func isAt(hashes stored, tree tlog.Tree) error {
	root, err := tlog.TreeHash(tree.N, hashes)
	if tree.N == 0 {
		root, err = sha256.Sum256(nil), nil
	}
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("another history at %d entries", tree.N)
	}
	return nil
}

// checkLog is the whole audit. newest and witness may be nil.
func checkLog(log files, key note.Verifier, newest []byte, witness note.Verifier) (tlog.Tree, error) {
	msg, err := log.read("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := openCheckpoint(msg, key)
	if err != nil {
		return tree, err
	}
	known := []tlog.Tree{tree}
	if newest != nil {
		older, err := openCheckpoint(newest, key)
		if err != nil {
			return tree, err
		}
		known = append(known, older)
	}
	if witness != nil {
		msg, err = log.read("cosigned")
		if err != nil {
			return tree, err
		}
		older, err := openCheckpoint(msg, key, witness)
		if err != nil {
			return tree, err
		}
		known = append(known, older)
	}
	for _, older := range known {
		if older.N > tree.N {
			return tree, fmt.Errorf("cut back from %d entries to %d", older.N, tree.N)
		}
	}
	hashes, err := rebuild(log, tree.N)
	if err != nil {
		return tree, err
	}
	if err := checkTiles(log, tree.N, hashes); err != nil {
		return tree, err
	}
	for _, older := range known {
		if err := isAt(hashes, older); err != nil {
			return tree, err
		}
	}
	return tree, nil
}

// --- proofs -----------------------------------------------------------------------------------------

// tiles lets tlog read a published log's hashes, each checked against the root on the way.
type tiles struct{ log files }

func (t tiles) Height() int { return height }
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(wanted))
	for i, tile := range wanted {
		data, err := t.log.read(name(tile))
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func checkConsistency(log files, key note.Verifier, oldMsg, newMsg []byte) error {
	older, err := openCheckpoint(oldMsg, key)
	if err != nil {
		return err
	}
	newer, err := openCheckpoint(newMsg, key)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(newer.N, older.N, tlog.TileHashReader(newer, tiles{log}))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash)
}

func checkInclusion(msg []byte, key note.Verifier) (int64, error) {
	head, checkpoint, found := strings.Cut(string(msg), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		!strings.HasPrefix(lines[1], "extra ") || !strings.HasPrefix(lines[2], "index ") {
		return 0, errors.New("proof: not in its form")
	}
	entry, err := base64.StdEncoding.DecodeString(lines[1][len("extra "):])
	if err != nil {
		return 0, err
	}
	index, err := strconv.ParseInt(lines[2][len("index "):], 10, 64)
	if err != nil {
		return 0, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, err
		}
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(checkpoint), key)
	if err != nil {
		return 0, err
	}
	return index, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// --- many logs, for the test that tampers -------------------------------------------------------------

// An overlay is a log with some files changed. A file without bytes is not there.
type overlay struct {
	base, changed map[string][]byte
}

func (o overlay) read(name string) ([]byte, error) {
	data, found := o.changed[name]
	if !found {
		data, found = o.base[name]
	}
	if !found || data == nil {
		return nil, os.ErrNotExist
	}
	return data, nil
}

func readPart(in *bufio.Reader) ([]byte, error) {
	var size int32
	if err := binary.Read(in, binary.LittleEndian, &size); err != nil {
		return nil, err
	}
	if size < 0 {
		return nil, nil
	}
	data := make([]byte, size)
	_, err := io.ReadFull(in, data)
	return data, err
}

func readFiles(in *bufio.Reader) (map[string][]byte, error) {
	var count int32
	if err := binary.Read(in, binary.LittleEndian, &count); err != nil {
		return nil, err
	}
	out := make(map[string][]byte)
	for ; count > 0; count-- {
		name, err := readPart(in)
		if err != nil {
			return nil, err
		}
		data, err := readPart(in)
		if err != nil {
			return nil, err
		}
		out[string(name)] = data
	}
	return out, nil
}

// batch reads 'B' (the files of a log; among them vkey, witness, newest) and 'C' (whether the witness is asked for, and
// the files that differ), and answers each 'C' with '+' if it finds nothing wrong, else '-'.
func batch() error {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	var base map[string][]byte
	var key note.Verifier
	var witness *witnessKey
	for {
		kind, err := in.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if kind == 'B' {
			if base, err = readFiles(in); err != nil {
				return err
			}
			if key, err = note.NewVerifier(string(base["vkey"])); err != nil {
				return err
			}
			if witness, err = parseWitness(string(base["witness"])); err != nil {
				return err
			}
			continue
		}
		asked, err := in.ReadByte()
		if err != nil {
			return err
		}
		changed, err := readFiles(in)
		if err != nil {
			return err
		}
		var by note.Verifier
		if asked == 1 {
			by = witness
		}
		answer := []byte{'+'}
		if _, err := checkLog(overlay{base, changed}, key, base["newest"], by); err != nil {
			answer[0] = '-'
		}
		if _, err := os.Stdout.Write(answer); err != nil {
			return err
		}
	}
}

// --- the command --------------------------------------------------------------------------------------

func readKey(file string) (note.Verifier, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(strings.TrimSuffix(string(text), "\n"))
}

func readWitness(file string) (note.Verifier, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseWitness(string(text))
}

func run(args []string) error {
	if len(args) == 1 && args[0] == "batch" {
		return batch()
	}
	if len(args) < 3 {
		return errors.New("usage: azlog checkpoint|log|consistency|inclusion VKEY FILE… | batch")
	}
	key, err := readKey(args[1])
	if err != nil {
		return err
	}
	var msgs [][]byte
	for _, file := range args[2:] {
		msg, _ := os.ReadFile(file)
		msgs = append(msgs, msg)
	}
	switch {
	case args[0] == "checkpoint" && len(args) <= 4:
		keys := []note.Verifier{key}
		if len(args) == 4 {
			witness, err := readWitness(args[3])
			if err != nil {
				return err
			}
			keys = append(keys, witness)
		}
		tree, err := openCheckpoint(msgs[0], keys...)
		if err == nil {
			fmt.Println(tree.N, tree.Hash)
		}
		return err
	case args[0] == "log" && len(args) <= 5:
		var newest []byte
		var witness note.Verifier
		if len(args) > 3 {
			newest = msgs[1]
		}
		if len(args) > 4 {
			if witness, err = readWitness(args[4]); err != nil {
				return err
			}
		}
		tree, err := checkLog(folder(args[2]), key, newest, witness)
		if err == nil {
			fmt.Println(tree.N, tree.Hash)
		}
		return err
	case args[0] == "consistency" && len(args) == 5:
		return checkConsistency(folder(args[4]), key, msgs[0], msgs[1])
	case args[0] == "inclusion" && len(args) == 3:
		index, err := checkInclusion(msgs[0], key)
		if err == nil {
			fmt.Println(index)
		}
		return err
	}
	return errors.New("no such command")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "azlog:", err)
		os.Exit(1)
	}
}
