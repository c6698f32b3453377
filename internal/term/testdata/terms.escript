#!/usr/bin/env escript
%% Makes terms.json with Erlang's own term_to_binary, atoms in UTF-8 as OTP 26
%% and later write them without being told. Run it in this folder:
%%
%%     escript terms.escript > terms.json

main(_) ->
    Lines = [io_lib:format("  \"~ts\": \"~s\"", [N, binary:encode_hex(term_to_binary(T, [{minor_version, 2}]))]) || {N, T} <- terms()],
    io:format("{~n~ts~n}~n", [lists:join(",\n", Lines)]).

terms() ->
    [ {"nil", nil}, {"true", true}, {"false", false}, {"atom", room}, {"empty atom", ''}
    , {"atom in Latin-1", 'caf\xe9'}, {"atom beyond it", '\x{1F426}'}
    , {"atom of 255 characters", list_to_atom(lists:duplicate(255, $\x{e9}))}
    , {"0", 0}, {"1", 1}, {"255", 255}, {"256", 256}, {"-1", -1}
    , {"2147483647", 2147483647}, {"2147483648", 2147483648}, {"-2147483648", -2147483648}, {"-2147483649", -2147483649}
    , {"9223372036854775807", 9223372036854775807}, {"-9223372036854775808", -9223372036854775808}
    , {"9223372036854775808", 9223372036854775808}, {"-9223372036854775809", -9223372036854775809}
    , {"2^2039", 1 bsl 2039}, {"-2^2040", -(1 bsl 2040)}
    , {"0.0", 0.0}, {"-0.0", -0.0}, {"1.5", 1.5}, {"smallest float", 5.0e-324}, {"largest float", 1.7976931348623157e308}
    , {"binary", <<"ada">>}, {"empty binary", <<>>}, {"bytes", <<0, 255>>}
    , {"empty list", []}, {"list of bytes", [1, 2, 255]}, {"list of integers", [1, 256]}, {"list", [<<"a">>, nil, [1], []]}
    , {"empty tuple", {}}, {"tuple", {user, 1}}, {"tuple of 256", list_to_tuple(lists:duplicate(256, 0))}
    , {"empty map", #{}}, {"map", #{<<"id">> => 1}}, {"map of atoms", #{id => {1.5, [x]}}}, {"map of a map", #{#{} => #{1 => 2}}}
    ].
