import {ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql} from "@apollo/client";
import {check} from "./run.js";

const newClient = (api, options) => new ApolloClient({
  cache: new InMemoryCache(),
  defaultOptions: {query: {fetchPolicy: "no-cache"}},
  link: new HttpLink({uri: `${api}/graphql`, useGETForQueries: options?.get}),
  clientAwareness: options?.named ? {name: "shelf", version: "1.0"} : undefined,
});

const BOOK = gql`query Book($id: Int!) { book(id: $id) { id title } }`;
const RENAME = gql`mutation Rename($id: Int!, $title: String!) { rename(id: $id, title: $title) { id title } }`;

async function query(client, id, title) {
  const {data} = await client.query({query: BOOK, variables: {id}});
  check(data.book.title === title, data.book.title);
}

async function rename(client, title) {
  const {data} = await client.mutate({mutation: RENAME, variables: {id: 1, title}});
  check(data.rename.title === title, data.rename.title);
}

async function fail(client) {
  try {
    await client.query({query: BOOK, variables: {id: 9}});
  } catch (error) {
    check(CombinedGraphQLErrors.is(error) && error.errors[0].message === "no such book", error);
    return;
  }
  throw new Error("no error");
}

export const steps = [
  ["query", (api) => query(newClient(api), 0, "Emma")],
  ["query over GET", (api) => query(newClient(api, {get: true}), 0, "Emma")],
  ["mutation", (api) => rename(newClient(api, {get: true}), "Odysseus")],
  ["error", (api) => fail(newClient(api))],
  ["query by a named client", (api) => query(newClient(api, {named: true}), 0, "Emma")],
  ["mutation by a named client", (api) => rename(newClient(api, {named: true}), "Odysseus")],
];

export const call = async (api, i) => {
  switch (i % 5) {
    case 0: return query(newClient(api, {named: true}), 0, "Emma");
    case 1: return rename(newClient(api, {named: true}), `Ulysses ${i}`);
    case 2: return fail(newClient(api, {named: true}));
    case 3: return query(newClient(api, {named: true, get: true}), 0, "Emma");
    case 4: return query(newClient(api, {named: true, get: true}), 1, `Ulysses ${i - 3}`);
  }
};
