#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The completions of bash, zsh and fish, each asked by the shell itself.
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# Two sticks, as isowrite devices --list says it; the rest is the program's own.
desk()
{
	mkdir bin home
	cat >bin/isowrite <<-'END'
		#!/bin/sh
		if [ "$*" = "devices --list" ]; then
			printf '/dev/sdb\tSanDisk Ultra, 32 GB (29.8 GiB), USB 3, port 1-4\n'
			printf '/dev/sdc\tACME: "Flash", 8.0 GB (7.5 GiB), USB 2\n'
			exit
		fi
		exec "$ISOWRITE" "$@"
	END
	chmod 755 bin/isowrite
	export PATH=$T/bin:$PATH HOME=$T/home XDG_CONFIG_HOME=$T/home XDG_DATA_HOME=$T/home
	unset XDG_CACHE_HOME
	make -s -C "$TOP" B="$BUILD" "$BUILD/isowrite.bash" "$BUILD/isowrite.zsh" "$BUILD/isowrite.fish"
	: >debian.iso
	: >ubuntu.iso
	mkdir work
	cp debian.iso work
}

# is_completed LINE WORD...: exactly these words complete it, in any order.
is_completed()
{
	local line=$1

	[ -z "${only_ask:-}" ] || { echo "$1" >>lines; return; }

	shift
	printf '%s\n' "$@" | sed '/^$/d' | sort >want
	complete_line "$line" | grep . | sort -u >got || :
	diff -u want got >&2 || fail "completion of \"$line\""
}

# What all three have to know.
know_the_tables()
{
	is_completed 'isowrite dev' devices
	is_completed 'isowrite insp' inspect
	is_completed 'isowrite inspect --fu' --full
	is_completed 'isowrite inspect --ye'
	is_completed 'isowrite write --unm' --unmount
	is_completed 'isowrite plan --mode=ra' --mode=raw
	is_completed 'isowrite ubuntu.iso /dev/sd' /dev/sdb /dev/sdc
	is_completed 'isowrite -y ubuntu.iso /dev/sdb /dev/sdc' /dev/sdc
	is_completed 'isowrite write ubuntu.iso /dev/sdb' /dev/sdb
	is_completed 'isowrite deb' debian.iso
	is_completed 'isowrite write deb' debian.iso
	is_completed 'isowrite check ubuntu.iso /dev/sdc' /dev/sdc
	is_completed 'isowrite --mode raw insp' inspect
	is_completed 'isowrite --mode raw write deb' debian.iso
	is_completed 'isowrite read /dev/sd' /dev/sdb /dev/sdc
	is_completed 'isowrite read /dev/sdb -o deb' debian.iso
	is_completed 'isowrite verify deb' debian.iso
}

test_bash()
{
	[ -r /usr/share/bash-completion/bash_completion ] || missing "bash-completion is not installed"
	desk
	# complete_line LINE: asks as readline does; the last word is the one at the cursor.
	complete_line()
	{
		bash --norc -c '. /usr/share/bash-completion/bash_completion
			. "$BUILD/isowrite.bash"
			compopt() { :; }
			COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=${2:-9}
			# readline breaks words at "=" too.
			read -r -a COMP_WORDS <<<"${1//=/ = }"
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_isowrite
			for word in "${COMPREPLY[@]}"; do
				case $1 in
				*=*) echo "${1##* }" | sed "s/=.*/=/" | tr -d "\n" ;;
				esac
				echo "${word% }"
			done' _ "$1" "${2:-}"
	}
	export BUILD
	know_the_tables
	is_completed 'isowrite --allow=internal,pa' '--allow=internal,partition'
	complete_line 'isowrite ubuntu.iso /dev/sd' 63 >listed
	has '/dev/sdb  SanDisk Ultra, 32 GB' listed
}

test_fish()
{
	need_tool fish
	desk
	complete_line()
	{
		fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$BUILD/isowrite.fish" "$1" |
			cut -f 1
	}
	know_the_tables
	is_completed 'isowrite --allow=internal,pa' '--allow=internal,partition'
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$BUILD/isowrite.fish" \
		'isowrite ubuntu.iso /dev/sd' >listed
	has $'/dev/sdb\tSanDisk Ultra, 32 GB' listed
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$BUILD/isowrite.fish" \
		'isowrite dev' >listed
	has $'devices\tsticks, and why' listed
}

test_zsh()
{
	need_tool zsh
	desk
	mkdir functions
	cp "$BUILD/isowrite.zsh" functions/_isowrite
	# A real line editor: the keys go in, and every word offered to it is noted down. It asks
	# for all lines at once, because a shell takes its time to begin.
	cat >rc <<-'END'
		PS1= PS2= fpath=($T/functions $fpath)
		autoload -U compinit
		compinit -u -D
		zstyle ':completion:*' verbose yes
		compadd()
		{
			local -a offered
			# With -D and -O it changes arrays and offers nothing.
			if ((! ${@[(I)-[DOA]]})); then
				builtin compadd -O offered "$@"
				print -rl -- $offered >>$T/offered
			fi
			builtin compadd "$@"
		}
		at_end() { : >$T/ended; BUFFER=; }
		zle -N at_end
		bindkey '^T' at_end
		: >$T/ready
	END
	cat >ask.zsh <<-'END'
		zmodload zsh/zpty
		zmodload zsh/zselect
		zpty shell "zsh -f -i"
		zpty -w shell ". $T/rc"
		wait_for() {
			for i in {1..1000}; do
				zpty -r -t shell text && screen+=$text
				[[ -e $1 ]] && return
				zselect -t 1
			done
		}
		wait_for $T/ready
		while read -r line; do
			rm -f $T/offered $T/ended
			screen=
			zpty -w -n shell "$line"$'\t'$'\C-t'
			wait_for $T/ended
			zselect -t 2
			while zpty -r -t shell text; do screen+=$text; done
			print -r -- "$screen" >$T/screen
			[[ ! -e $T/offered ]] || cp $T/offered "$T/answers/${line//\//%}"
		done
		zpty -d shell
	END
	mkdir answers
	only_ask=y know_the_tables
	echo 'isowrite ubuntu.iso /dev/sd' >>lines
	zsh -f ask.zsh <lines
	complete_line()
	{
		local typed=${1##* }

		! [ -e "answers/${1//\//%}" ] || sed "s|^raw\$|${typed%%=*}=raw|" "answers/${1//\//%}"
	}
	know_the_tables
	has 'SanDisk Ultra, 32 GB' screen
	has 'ACME: "Flash", 8.0 GB' screen
}
