#!/usr/bin/env escript
%% Makes vectors.json with Erlang's own term_to_binary and crypto, by the rules
%% of the protocol document, section 16. It shares no code with Roost. Run it in
%% this folder, with OTP 25 or later:
%%
%%     escript vectors.escript > vectors.json
%%
%% Nonces are fixed, and so it writes the same each time.

main(_) ->
    {ok, _} = application:ensure_all_started(crypto),
    Secret = <<"a secret key base for tests only, 64 bytes or so, never a real one">>,
    Salt = <<"user socket">>,
    At = 1700000000000,
    Key = key(sha256, Secret, Salt, 1000, 32),
    Plain = fun(D) -> term_to_binary({D, At, 86400}) end,
    Vectors =
        [signed(N, Key, Plain(D)) || {N, D} <- data()] ++
        [ signed("two elements", Key, term_to_binary({7, At}))
        , signed("a map", Key, term_to_binary(#{data => 7, signed => At}))
        , signed("no end", Key, term_to_binary({7, At, infinity}))
        , signed("a fractional age", Key, term_to_binary({7, At, 1.5}))
        , signed("an endless number", Key, term_to_binary({7, At, 9223372036854775807}))
        , signed("an endless float", Key, term_to_binary({7, At, 1.0e300}))
        , signed("a huge age", Key, term_to_binary({7, At, 1 bsl 80}))
        , signed("no age", Key, term_to_binary({7, At, 0}))
        , signed("an age below none", Key, term_to_binary({7, At, -9223372036854775808}))
        , signed("a huge age below none", Key, term_to_binary({7, At, -(1 bsl 80)}))
        , signed("before all time", Key, term_to_binary({7, -9223372036854775808, 86400}))
        , signed("after all time", Key, term_to_binary({7, 9223372036854775807, infinity}))
        , signed("compressed", Key, term_to_binary({lists:duplicate(500, <<"again">>), At, 86400}, [compressed]))
        , signed("an old atom", Key, term_to_binary({'caf\xe9', At, 86400}, [{minor_version, 1}]))
        , signed("a process", Key, term_to_binary({self(), At, 86400}))
        , signed("a function", Key, term_to_binary({fun lists:map/2, At, 86400}))
        , signed("four elements", Key, term_to_binary({7, At, 86400, 1}))
        , signed("not a time", Key, term_to_binary({7, soon, 86400}))
        , signed("sha384", <<"SFMzODQ">>, sha384, Key, Plain(7))
        , signed("sha512", <<"SFM1MTI">>, sha512, Key, Plain(7))
        , signed("2000 iterations", key(sha256, Secret, Salt, 2000, 32), Plain(7))
        , signed("a key of 64 bytes", key(sha256, Secret, Salt, 1000, 64), Plain(7))
        , signed("a key by sha512", key(sha512, Secret, Salt, 1000, 32), Plain(7))
        , {"encrypted", xcp(Key, Plain(7))}
        , {"encrypted by AES", gcm(Key, Plain(7))}
        , {"encrypted by AES with a key of 64 bytes", gcm(binary:part(key(sha256, Secret, Salt, 1000, 64), 0, 32), Plain(7))}
        ],
    io:format("{~n  \"secret\": \"~s\",~n  \"salt\": \"~s\",~n  \"signed_at_ms\": ~b,~n  \"key\": \"~s\",~n  \"tokens\": {~n~s~n  }~n}~n",
              [Secret, Salt, At, binary:encode_hex(Key),
               lists:join(",\n", [io_lib:format("    \"~s\": \"~s\"", [N, T]) || {N, T} <- Vectors])]).

data() ->
    [ {"nil", nil}, {"true", true}, {"false", false}, {"an atom", admin}
    , {"0", 0}, {"255", 255}, {"256", 256}, {"-1", -1}
    , {"2147483647", 2147483647}, {"2147483648", 2147483648}, {"-2147483648", -2147483648}, {"-2147483649", -2147483649}
    , {"9223372036854775807", 9223372036854775807}, {"-9223372036854775808", -9223372036854775808}
    , {"9223372036854775808", 9223372036854775808}, {"two to the 2100th", 1 bsl 2100}
    , {"1.5", 1.5}, {"-0.0", -0.0}, {"a binary", <<"ada">>}, {"no binary", <<>>}, {"bytes", <<0, 255, 128>>}
    , {"no list", []}, {"a list of bytes", [1, 2, 3]}, {"a list", [1, 1000, <<"x">>]}
    , {"a tuple", {user, 1}}, {"no tuple", {}}
    , {"atom keys", #{user_id => 42}}, {"binary keys", #{<<"user_id">> => 42}}, {"no map", #{}}
    , {"nested", #{roles => [admin, {room, <<"lobby">>}], age => 36.5}}
    , {"a bitstring", <<5:3>>}, {"an improper list", [1 | 2]}
    ].

key(Digest, Secret, Salt, Iterations, Length) ->
    crypto:pbkdf2_hmac(Digest, Secret, Salt, Iterations, Length).

signed(Name, Key, Content) ->
    signed(Name, <<"SFMyNTY">>, sha256, Key, Content).

signed(Name, Protected, Digest, Key, Content) ->
    Input = <<Protected/binary, ".", (url(Content))/binary>>,
    {Name, <<Input/binary, ".", (url(crypto:mac(hmac, Digest, Key, Input)))/binary>>}.

%% XChaCha20-Poly1305: a subkey from the first 16 bytes of the nonce, the other 8
%% after four zeros as the nonce of ChaCha20-Poly1305.
xcp(Key, Content) ->
    Nonce = <<First:16/binary, Last:8/binary>> = list_to_binary(lists:seq(1, 24)),
    {Text, Tag} = crypto:crypto_one_time_aead(chacha20_poly1305, hchacha20(Key, First), <<0:32, Last/binary>>,
                                              Content, <<"A128GCM">>, true),
    <<"XCP.", (url(<<Nonce/binary, Tag/binary, Text/binary>>))/binary>>.

%% HChaCha20 is the first and last four words of ChaCha20's block before the
%% state is added to it; so they come out when it is subtracted again.
hchacha20(Key, In) ->
    Block = crypto:crypto_one_time(chacha20, Key, In, <<0:512>>, true),
    Words = [W || <<W:32/little>> <= Block],
    State = [W || <<W:32/little>> <= <<"expand 32-byte k", Key/binary, In/binary>>],
    Sub = [(A - B) band 16#ffffffff || {A, B} <- lists:zip(Words, State)],
    << <<W:32/little>> || W <- lists:sublist(Sub, 1, 4) ++ lists:sublist(Sub, 13, 4) >>.

gcm(Key, Content) ->
    Cek = list_to_binary(lists:seq(101, 116)),
    Iv = list_to_binary(lists:seq(1, 12)),
    KeyIv = list_to_binary(lists:seq(21, 32)),
    {Wrapped, WrapTag} = crypto:crypto_one_time_aead(aes_256_gcm, Key, KeyIv, Cek, <<>>, true),
    {Text, Tag} = crypto:crypto_one_time_aead(aes_128_gcm, Cek, Iv, Content, <<"A128GCM">>, true),
    iolist_to_binary(lists:join(".", [url(P) || P <- [<<"A128GCM">>, <<Wrapped/binary, WrapTag/binary, KeyIv/binary>>, Iv, Text, Tag]])).

url(Bytes) ->
    Base = base64:encode(Bytes),
    << <<(case C of $+ -> $-; $/ -> $_; _ -> C end)>> || <<C>> <= Base, C =/= $= >>.
