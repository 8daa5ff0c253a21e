// Input of Relay's compiler: a connection, a refetchable fragment, a mutation and a subscription.
import { graphql } from "relay-runtime";

graphql`
  query learnersQuery($first: Int!, $after: String) {
    learners(first: $first, after: $after) @connection(key: "learnersQuery_learners") {
      totalCount
      edges {
        node {
          id
          ...learners_card
        }
      }
    }
  }
`;

graphql`
  fragment learners_card on Learner @refetchable(queryName: "learnersCardQuery") {
    name
    trafficLight
    offTheJob {
      actualMinutes
    }
  }
`;

graphql`
  query learnersNodesQuery($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
      ... on Learner {
        ...learners_card @alias(as: "card")
      }
      ... on Aim {
        title
        progress {
          mappedPercent
        }
      }
    }
  }
`;

graphql`
  mutation learnersLogMutation($input: TimeLogEntryInput!) {
    timeLogEntryAdd(input: $input) {
      timeLogEntry {
        minutes
        learner {
          ...learners_card
        }
      }
      errors {
        message
      }
    }
  }
`;

graphql`
  subscription learnersKpisSubscription {
    kpisChanged(take: 1) {
      learnerCount
    }
  }
`;
