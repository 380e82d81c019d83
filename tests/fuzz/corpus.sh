# Sourced by replay.sh and fuzz.sh: other projects' fuzz inputs, if this
# machine has them.  Expects $top, the root of the tree.

corpus_file=${CLOISTER_VECTORS:-$top/../shared/vectors}/fuzz/fuzz-bitcoinfuzz.tar.xz

# corpus_unpack: into a new directory $corpus, which goes when the shell ends.
corpus_unpack() {
	corpus=
	[ -f "$corpus_file" ] || return 1
	corpus=$(mktemp -d "${TMPDIR:-/tmp}/cloister-corpus-XXXXXX") || return 1
	trap 'rm -rf "$corpus"' EXIT
	trap 'exit 130' INT TERM
	tar -xJf "$corpus_file" -C "$corpus"
}
