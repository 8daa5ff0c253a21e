/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query StarterLearners($after: String) {\n    learners(first: 20, after: $after, orderBy: POINTS_AHEAD_ASC) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        name\n        trafficLight\n        employer { name }\n        progress { durationPercent mappedPercent signedOffPercent }\n      }\n    }\n  }\n": typeof types.StarterLearnersDocument,
    "\n  mutation StarterSignIn($input: LoginInput!) {\n    login(input: $input) {\n      accessToken\n      refreshToken\n      deviceToken\n      viewer { mustChangePassword mustAcceptDisclaimer mustSetUpSecondFactor user { id name } }\n      errors { code field message }\n    }\n  }\n": typeof types.StarterSignInDocument,
    "\n  mutation StarterRefresh($refreshToken: String!) {\n    tokenRefresh(refreshToken: $refreshToken) { accessToken refreshToken errors { code message } }\n  }\n": typeof types.StarterRefreshDocument,
    "\n  mutation StarterSignOut($refreshToken: String!) { logout(refreshToken: $refreshToken) { errors { code } } }\n": typeof types.StarterSignOutDocument,
};
const documents: Documents = {
    "\n  query StarterLearners($after: String) {\n    learners(first: 20, after: $after, orderBy: POINTS_AHEAD_ASC) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        name\n        trafficLight\n        employer { name }\n        progress { durationPercent mappedPercent signedOffPercent }\n      }\n    }\n  }\n": types.StarterLearnersDocument,
    "\n  mutation StarterSignIn($input: LoginInput!) {\n    login(input: $input) {\n      accessToken\n      refreshToken\n      deviceToken\n      viewer { mustChangePassword mustAcceptDisclaimer mustSetUpSecondFactor user { id name } }\n      errors { code field message }\n    }\n  }\n": types.StarterSignInDocument,
    "\n  mutation StarterRefresh($refreshToken: String!) {\n    tokenRefresh(refreshToken: $refreshToken) { accessToken refreshToken errors { code message } }\n  }\n": types.StarterRefreshDocument,
    "\n  mutation StarterSignOut($refreshToken: String!) { logout(refreshToken: $refreshToken) { errors { code } } }\n": types.StarterSignOutDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query StarterLearners($after: String) {\n    learners(first: 20, after: $after, orderBy: POINTS_AHEAD_ASC) {\n      totalCount\n      pageInfo { hasNextPage endCursor }\n      nodes {\n        id\n        name\n        trafficLight\n        employer { name }\n        progress { durationPercent mappedPercent signedOffPercent }\n      }\n    }\n  }\n"): typeof import('./graphql').StarterLearnersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StarterSignIn($input: LoginInput!) {\n    login(input: $input) {\n      accessToken\n      refreshToken\n      deviceToken\n      viewer { mustChangePassword mustAcceptDisclaimer mustSetUpSecondFactor user { id name } }\n      errors { code field message }\n    }\n  }\n"): typeof import('./graphql').StarterSignInDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StarterRefresh($refreshToken: String!) {\n    tokenRefresh(refreshToken: $refreshToken) { accessToken refreshToken errors { code message } }\n  }\n"): typeof import('./graphql').StarterRefreshDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation StarterSignOut($refreshToken: String!) { logout(refreshToken: $refreshToken) { errors { code } } }\n"): typeof import('./graphql').StarterSignOutDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
